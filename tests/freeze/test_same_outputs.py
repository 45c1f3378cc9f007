"""A frozen file gives the output of the personalizable file, and is smaller."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from freeze_helpers import CLASSES, HEADS, codes, outputs, personal_outputs, samples, train_randomly

import sartor
from sartor import PersonalModel
from sartor.contract.manifest import LABELS_FILE
from sartor.contract.names import MANIFEST_FILE, MASK
from sartor.flatbuffer import decode_metadata, read
from sartor.flatbuffer.metadata import METADATA_NAME
from sartor.runtime import bake, read_checkpoint
from sartor.runtime.saved.checkpoint import write_checkpoint

VARIABLES = {"VAR_HANDLE", "READ_VARIABLE", "ASSIGN_VARIABLE", "CALL_ONCE"}
LAYER = ["FULLY_CONNECTED"]
ROW = ["BATCH_MATMUL", "MUL", "MAXIMUM", "RSQRT", "FULLY_CONNECTED", "MUL"]
OPS_AFTER_FEATURES: dict[str, list[str]] = {
    "softmax": [*LAYER, "SOFTMAX"],
    "cosine": ["SUB", "MUL", *ROW, "SOFTMAX"],
    "mlp": [*[*LAYER, "LOGISTIC", "MUL"] * 2, *LAYER, "SOFTMAX"],
    "multi-label": [*LAYER, "LOGISTIC"],
    "regression": LAYER,
}
"""Head → the ops that it becomes."""


@pytest.mark.parametrize("head", HEADS)
def test_frozen_real_models_give_the_same_output(
    head: str, real_model: Path, tmp_path: Path
) -> None:
    trained_model = train_randomly(real_model, tmp_path, head=head)
    frozen = sartor.freeze(trained_model.path, tmp_path / "frozen.tflite", trained_model.checkpoint)
    assert frozen.classes == ("hat", "shoes", "ünïcode")
    inputs = samples(trained_model.manifest.inputs, 2)
    expected = personal_outputs(trained_model, inputs)
    np.testing.assert_allclose(outputs(frozen.path, inputs), expected, rtol=0, atol=1e-5)
    assert frozen.path.stat().st_size < trained_model.path.stat().st_size
    assert not VARIABLES.intersection(codes(frozen.path))


@pytest.mark.parametrize("head", HEADS)
def test_head_becomes_dense_layers(head: str, tiny_base: bytes, tmp_path: Path) -> None:
    trained_model = train_randomly(tiny_base, tmp_path, head=head)
    frozen = sartor.freeze(trained_model.path, tmp_path / "frozen.tflite", trained_model.checkpoint)
    base, *head_ops = codes(frozen.path)
    assert (base, head_ops) == ("FULLY_CONNECTED", OPS_AFTER_FEATURES[head])
    inputs = samples(trained_model.manifest.inputs, 20)
    expected = personal_outputs(trained_model, inputs)
    np.testing.assert_allclose(outputs(frozen.path, inputs), expected, rtol=0, atol=1e-6)


def test_frozen_file_has_no_training_parts(image_base: bytes, tmp_path: Path) -> None:
    trained_model = train_randomly(image_base, tmp_path, mean=1, std=4)
    frozen = read(
        sartor.freeze(trained_model.path, tmp_path / "f.tflite", trained_model.checkpoint).path
    )
    (signature,) = frozen.signatures
    assert signature.key == "serving_default"
    assert (list(signature.inputs), list(signature.outputs)) == (["input"], ["output"])
    assert len(frozen.graphs) == 1
    assert MANIFEST_FILE not in frozen.files
    assert frozen.files[LABELS_FILE].decode().splitlines() == [
        "hat",
        "shoes",
        "ünïcode",
    ]
    metadata = decode_metadata(frozen.metadata[METADATA_NAME])
    (graph,) = metadata.subgraph_metadata
    (image,), (scores,) = graph.input_tensor_metadata, graph.output_tensor_metadata
    assert image.normalization is not None
    assert image.image is not None
    assert (image.normalization.mean, image.normalization.std) == ((1,), (4,))
    assert [file.name for file in scores.label_files] == [LABELS_FILE]
    assert scores.stats is not None
    assert (scores.stats.min, scores.stats.max) == ((0,), (1,))
    assert "Learns" not in metadata.description + metadata.name
    assert "Personalizable" not in metadata.name


def test_images_with_scaling_per_channel(image_base: bytes, tmp_path: Path) -> None:
    """MediaPipe supports one mean only: the model takes pixels and scales them."""
    trained_model = train_randomly(image_base, tmp_path, mean=(1, 2, 3), std=(4, 5, 6))
    frozen = sartor.freeze(trained_model.path, tmp_path / "frozen.tflite", trained_model.checkpoint)
    assert "takes pixels 0…255" in frozen.notes[0]
    pixels = np.random.default_rng(0).integers(0, 256, (1, 8, 10, 3)).astype(np.float32)
    scaled_pixels = (pixels - np.array([1, 2, 3], np.float32)) / np.array([4, 5, 6], np.float32)
    actual, inputs = outputs(frozen.path, [{"input": pixels}]), [{"input": scaled_pixels}]
    np.testing.assert_allclose(actual, personal_outputs(trained_model, inputs), rtol=0, atol=1e-5)
    spec = sartor.convert(frozen.path, classes=2).manifest.inputs[0]
    assert (spec.mean, spec.std) == ((0,), (1,))


def test_baked_file_needs_no_checkpoint(image_base: bytes, tmp_path: Path) -> None:
    trained_model = train_randomly(image_base, tmp_path)
    baked = tmp_path / "baked.tflite"
    bake(trained_model.path, trained_model.checkpoint, baked)
    sartor.freeze(trained_model.path, tmp_path / "one.tflite", trained_model.checkpoint)
    sartor.freeze(baked, tmp_path / "other.tflite")
    assert (tmp_path / "one.tflite").read_bytes() == (tmp_path / "other.tflite").read_bytes()


def test_checkpoint_of_smaller_capacity(image_base: bytes, tmp_path: Path) -> None:
    trained_model = train_randomly(image_base, tmp_path)
    wider = sartor.convert(image_base, classes=9).save(tmp_path / "wider.tflite")
    one = sartor.freeze(trained_model.path, tmp_path / "one.tflite", trained_model.checkpoint)
    other = sartor.freeze(wider, tmp_path / "other.tflite", trained_model.checkpoint)
    inputs = samples(trained_model.manifest.inputs, 3)
    assert other.classes == one.classes
    np.testing.assert_array_equal(outputs(other.path, inputs), outputs(one.path, inputs))


def test_frozen_predictions_equal_those_of_the_library(image_base: bytes, tmp_path: Path) -> None:
    path = sartor.convert(image_base, classes=4).save(tmp_path / "model.tflite")
    rng = np.random.default_rng(0)
    images = {name: rng.integers(0, 256, (6, 8, 10, 3)).astype(np.uint8) for name in "ab"}
    with PersonalModel(path) as model:
        for name, rows in images.items():
            for row in rows:
                model.add_sample(row, name)
        model.fit(epochs=20)
        model.save(tmp_path / "mine.safetensors")
        predictions = [model.predict(row) for rows in images.values() for row in rows]
        inputs = [{"input": row[np.newaxis] / np.float32(255)} for rows in images.values()
                  for row in rows]  # fmt: skip
    frozen = sartor.freeze(path, tmp_path / "frozen.tflite", tmp_path / "mine.safetensors")
    for row, prediction in zip(outputs(frozen.path, inputs), predictions, strict=True):
        probabilities = {each.label: each.probability for each in prediction}
        assert dict(zip(frozen.classes, row, strict=True)) == pytest.approx(probabilities, abs=1e-5)


@pytest.mark.parametrize("quantize", ["none", "full-integer"])
def test_frozen_file_is_a_base(quantize: str, image_base: bytes, tmp_path: Path) -> None:
    trained_model = train_randomly(image_base, tmp_path, mean=10, std=20)
    images = np.random.default_rng(0).integers(0, 256, (20, 8, 10, 3)).astype(np.uint8)
    frozen = sartor.freeze(
        trained_model.path, tmp_path / "frozen.tflite", trained_model.checkpoint, quantize=quantize,
        representative=images if quantize != "none" else None,
    )  # fmt: skip
    again = sartor.convert(frozen.path, classes=["a", "b"]).save(tmp_path / "again.tflite")
    with PersonalModel(again) as model:
        for name, seed in (("a", 1), ("b", 2)):
            for row in np.random.default_rng(seed).integers(0, 256, (3, 8, 10, 3)):
                model.add_sample(row.astype(np.uint8), name)
        model.fit(epochs=2)
        (spec,) = model.manifest.features
        if quantize == "none":
            assert model.manifest.inputs == trained_model.manifest.inputs
            assert spec.shape == trained_model.manifest.features[0].shape
        else:
            assert (model.manifest.inputs[0].dtype, spec.dtype) == ("uint8", "int8")


def test_inactive_class_is_omitted(tiny_base: bytes, tmp_path: Path) -> None:
    trained_model = train_randomly(tiny_base, tmp_path)
    trained_model.state[MASK][2] = 0
    checkpoint = replace(read_checkpoint(trained_model.checkpoint), variables=trained_model.state)
    write_checkpoint(trained_model.checkpoint, checkpoint)
    frozen = sartor.freeze(trained_model.path, tmp_path / "frozen.tflite", trained_model.checkpoint)
    assert frozen.classes == ("hat", "ünïcode")
    inputs = samples(trained_model.manifest.inputs, 3)
    np.testing.assert_allclose(
        outputs(frozen.path, inputs), personal_outputs(trained_model, inputs), rtol=0, atol=1e-6
    )


def test_classes_are_in_order_of_class_indices(tiny_base: bytes, tmp_path: Path) -> None:
    assert [name for name in CLASSES if name] == ["hat", "shoes", "ünïcode"]
    trained_model = train_randomly(tiny_base, tmp_path, classes=(None, "b", "a"))
    frozen = sartor.freeze(trained_model.path, tmp_path / "frozen.tflite", trained_model.checkpoint)
    assert frozen.classes == ("b", "a")
