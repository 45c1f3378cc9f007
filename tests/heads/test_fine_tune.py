"""Fine-tuning of the base's last layers: equal outputs, the cut, what changes, and real photos."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from ai_edge_litert.interpreter import Interpreter
from head_files import file_of, residual_base
from PIL import Image

import sartor
from sartor import PersonalModel
from sartor.errors import ConversionError
from sartor.flatbuffer import read
from sartor.graph import Model, Op
from sartor.heads import MLP, CosineClassifier, FineTune, Head, SoftmaxClassifier
from sartor.testing import verify_contract

BILINEAR = Image.Resampling.BILINEAR
CLASSES, BATCH = ["a", "b", "c"], 4
VWW, MOBILENET = "vww_96_float.tflite", "tf2_mobilenet_v2_1.0_224_ptq.tflite"
RESNET = "pretrainedResnet.tflite"


@pytest.fixture(scope="module")
def base() -> bytes:
    return file_of(residual_base, 1, 6, 5, 3)


def images(model: sartor.PersonalizableModel, count: int) -> np.ndarray:
    shape = model.manifest.inputs[0].shape[1:]
    return np.random.default_rng(1).normal(size=(count, *shape)).astype(np.float32)


def probabilities(model: PersonalModel, sample: Any) -> list[float]:
    return [each.probability for each in sorted(model.predict(sample), key=lambda each: each.label)]


def imprinted(model: sartor.PersonalizableModel, samples: np.ndarray, path: Path) -> np.ndarray:
    """Return the probabilities of samples, after the first three were imprinted as a class each."""
    with PersonalModel(model.save(path)) as personal:
        for name, sample in zip(CLASSES, samples, strict=False):
            personal.add_sample(sample[None], name)
        return np.array([probabilities(personal, each[None]) for each in samples])


@pytest.mark.parametrize("head", [SoftmaxClassifier(), CosineClassifier()])
@pytest.mark.parametrize("last", [1, 2, 3])
def test_the_file_predicts_like_one_with_frozen_layers(
    base: bytes, last: int, head: Head, tmp_path: Path
) -> None:
    tuned = sartor.convert(base, classes=CLASSES, head=FineTune(last, head), batch_size=BATCH)
    plain = sartor.convert(base, classes=CLASSES, head=head, batch_size=BATCH, normalize=False)
    samples = images(tuned, 6)
    expected = imprinted(plain, samples, tmp_path / "plain.tflite")
    actual = imprinted(tuned, samples, tmp_path / "tuned.tflite")
    np.testing.assert_allclose(actual, expected, atol=1e-3)  # the samples are nearly equal


@pytest.mark.parametrize("head", [SoftmaxClassifier(), CosineClassifier(), MLP((8,))])
@pytest.mark.parametrize("optimizer", [sartor.SGD(), sartor.SGD(momentum=0.9)])
def test_the_gradients_verify(base: bytes, head: Head, optimizer: sartor.SGD) -> None:
    """Without momentum, the verifier computes the gradient from the step and the rate."""
    tuned = FineTune(2, head, rate=0.1)
    model = sartor.convert(base, classes=CLASSES, head=tuned, optimizer=optimizer, batch_size=BATCH)
    rates = {spec.name: spec.rate for spec in model.manifest.variables}
    assert rates["head/layers/layer_1/weights"] == 0.1
    report = verify_contract(model.content)
    assert report.passed, report.failures


def test_a_cut_before_a_residual_block_is_in_front_of_its_branches(base: bytes) -> None:
    shapes = [
        [spec.shape for spec in sartor.convert(base, classes=3, head=FineTune(n)).manifest.features]
        for n in (1, 2, 3)
    ]
    assert shapes == [[(6, 5, 6), (6, 5, 8)], [(6, 5, 6)], [(6, 5, 3)]]


def test_training_changes_the_last_layers_only(base: bytes, tmp_path: Path) -> None:
    head = FineTune(2, biases_only=True)
    model = sartor.convert(base, classes=CLASSES, head=head, batch_size=BATCH)
    names = {spec.name for spec in model.manifest.variables}
    assert {name for name in names if name.startswith("head/layers/")} == {
        "head/layers/layer_1/bias",
        "head/layers/layer_2/bias",
    }
    with PersonalModel(model.save(tmp_path / "model.tflite")) as personal:
        for name, sample in zip(CLASSES * 2, images(model, 6), strict=True):
            personal.add_sample(sample[None], name)
        history = personal.fit(40, lambda _: None, depth="layers")
    assert history.epochs[-1].loss < history.epochs[0].loss


def test_frozen_layers_have_constant_biases_and_keep_no_input(base: bytes) -> None:
    """XNNPACK refuses a layer with a variable as bias; TinyTL keeps no input of a layer."""
    model = sartor.convert(base, classes=CLASSES, head=FineTune(3, biases_only=True))
    read_model = read(model.content)
    for key in ("train", "evaluate", "run_layers", "set_class"):
        layers = layers_of(read_model, key)
        assert len(layers) == 3, key
        assert all(t.is_constant for op in layers for t in op.inputs[1:] if t is not None)
    signature = read_model.signature("train")
    assert signature is not None
    features = signature.inputs["features"]
    assert [op.code for op in features.consumers] == ["CONV_2D"]


def layers_of(model: Model, key: str) -> list[Op]:
    signature = model.signature(key)
    assert signature is not None
    codes = ("CONV_2D", "DEPTHWISE_CONV_2D")
    return [op for op in signature.graph.ops if op.code in codes]


def test_layers_of_real_models_become_features_at_the_cheapest_cut(shared_models: Path) -> None:
    """A cut may cross two tensors, the sum of a residual block and its branch."""
    sizes = {}
    for last in (1, 4, 5):
        model = sartor.convert(shared_models / MOBILENET, classes=3, head=FineTune(last))
        sizes[last] = [spec.shape for spec in model.manifest.features]
    assert sizes[1] == [(7, 7, 320)]
    assert sizes[4] == [(7, 7, 160)]
    assert len(sizes[5]) == 2


@pytest.mark.parametrize(
    ("name", "last", "proposal"),
    [
        (MOBILENET, 5, ": 54,880 numbers per sample, or 7,840 with the last 4"),
        (MOBILENET, 9, ": 54,880 numbers per sample, or 7,840 with the last 10"),
        (MOBILENET, 4, ""),
        (RESNET, 4, ": 24,576 numbers per sample, or 8,192 with the last 3"),
    ],
)
def test_a_nearby_number_of_layers_with_smaller_features_is_proposed(
    shared_models: Path, name: str, last: int, proposal: str
) -> None:
    model = sartor.convert(shared_models / name, classes=3, head=FineTune(last))
    assert model.cut == f"the input of the last {last} layers with weights{proposal}"
    number = sum(math.prod(spec.shape) for spec in model.manifest.features)
    assert proposal == "" or f": {number:,} numbers" in proposal


def test_a_base_without_layers_says_so(base: bytes) -> None:
    message = "no layers with weights before these features.*leave FineTune.*--fine-tune"
    with pytest.raises(ConversionError, match=message):
        sartor.convert(base, classes=3, head=FineTune(1), features="x")


def test_the_description_of_one_layer_has_no_number() -> None:
    assert FineTune(1).describe() == "the last layer with weights"
    assert FineTune(2).describe() == "the last 2 layers with weights"


@pytest.mark.parametrize("last", [1, 3])
def test_quantized_layers_predict_like_the_base(
    shared_models: Path, shared_data: Path, tmp_path: Path, last: int
) -> None:
    """Float layers after an int8 base compute what the int8 layers approximate."""
    photos = sorted((shared_data / "clothing" / "train" / "hat").iterdir())[:4]
    rows = []
    for name, head in ("plain", None), ("tuned", FineTune(last)):
        model = sartor.convert(
            shared_models / MOBILENET, classes=CLASSES, head=head, normalize=False
        )
        with PersonalModel(model.save(tmp_path / f"{name}.tflite")) as personal:
            for label, photo in zip(CLASSES, photos, strict=False):
                personal.add_sample(photo, label)
            rows.append(probabilities(personal, photos[3]))
    np.testing.assert_allclose(rows[0], rows[1], atol=0.05)


def test_it_learns_digits_better_than_a_head(shared_models: Path, tmp_path: Path) -> None:
    """The base detects persons, so that its features describe digits badly."""
    from sklearn.datasets import load_digits

    digits = load_digits()
    pictures = [
        Image.fromarray((each * 15.9).astype(np.uint8)).resize((64, 64), BILINEAR).convert("RGB")
        for each in digits.images[:600]
    ]
    samples = list(zip(pictures, map(str, digits.target), strict=False))
    accuracies = []
    for name, head in ("head", None), ("tuned", FineTune(4)):
        model = sartor.convert(shared_models / VWW, classes=10, head=head)
        with PersonalModel(model.save(tmp_path / f"{name}.tflite")) as personal:
            for picture, label in samples[:100]:
                personal.add_sample(picture, label)
            personal.fit()
            accuracies.append(personal.evaluate(samples[100:]).accuracy)
    assert accuracies[1] > accuracies[0] + 0.02, accuracies


def test_a_frozen_file_has_the_trained_layers(base: bytes, tmp_path: Path) -> None:
    model = sartor.convert(base, classes=CLASSES, head=FineTune(2), batch_size=BATCH)
    samples = images(model, 6)
    with PersonalModel(model.save(tmp_path / "model.tflite")) as personal:
        for name, sample in zip(CLASSES * 2, samples, strict=True):
            personal.add_sample(sample[None], name)
        personal.fit(epochs=10)
        expected = probabilities(personal, samples[:1])
        personal.save(tmp_path / "checkpoint.safetensors")
    sartor.freeze(
        tmp_path / "model.tflite", tmp_path / "frozen.tflite", tmp_path / "checkpoint.safetensors"
    )
    interpreter = Interpreter(str(tmp_path / "frozen.tflite"))
    interpreter.allocate_tensors()
    interpreter.set_tensor(interpreter.get_input_details()[0]["index"], samples[:1])
    interpreter.invoke()
    actual = interpreter.get_tensor(interpreter.get_output_details()[0]["index"])[0]
    np.testing.assert_allclose(actual, expected, atol=1e-5)


@pytest.mark.parametrize(
    ("head", "options", "message"),
    [
        (lambda: FineTune(0), {}, "FineTune: last"),
        (lambda: FineTune(biases_only=1), {}, "biases_only"),  # type: ignore[arg-type]
        (lambda: FineTune(rate=0), {}, "rate must be above 0"),
        (lambda: FineTune(9), {}, "3 layers with weights.*last=3"),
        (lambda: FineTune(FineTune()), {}, "FineTune: last"),  # type: ignore[arg-type]
        (lambda: FineTune(1, FineTune()), {}, "instance of Head"),  # type: ignore[arg-type]
    ],
)
def test_options_that_do_not_fit(
    base: bytes, head: Callable[[], FineTune], options: dict[str, bool], message: str
) -> None:
    with pytest.raises(ConversionError, match=message):
        sartor.convert(base, classes=CLASSES, head=head(), **options)  # type: ignore[arg-type]
