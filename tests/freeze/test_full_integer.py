"""Full-integer quantization of frozen files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from ai_edge_litert.interpreter import Interpreter
from freeze_helpers import (
    HEADS,
    TrainedModel,
    codes,
    outputs,
    personal_outputs,
    samples,
    train_randomly,
)

import sartor
from sartor import PersonalModel
from sartor.errors import ConversionError, DataError
from sartor.flatbuffer import read
from sartor.graph import DType
from sartor.modalities import prepare, read_folder

pytestmark = pytest.mark.usefixtures("quantizer")

IMAGES = np.random.default_rng(0).integers(0, 256, (40, 8, 10, 3)).astype(np.uint8)


def freeze_to_integers(
    trained_model: TrainedModel, name: str = "int.tflite", **settings: Any
) -> Path:
    settings = {"representative": IMAGES, **settings}
    return sartor.freeze(
        trained_model.path,
        trained_model.path.with_name(name),
        trained_model.checkpoint,
        quantize="full-integer",
        **settings,
    ).path


def scaled(pixels: np.ndarray, trained_model: TrainedModel) -> list[dict[str, np.ndarray]]:
    return [prepare(trained_model.manifest.inputs, each) for each in pixels]


def bytes_of(pixels: np.ndarray, shift: int = 0) -> list[dict[str, np.ndarray]]:
    dtype = np.int8 if shift else np.uint8
    return [{"input": (each[np.newaxis].astype(np.int32) - shift).astype(dtype)} for each in pixels]


@pytest.mark.parametrize("io_dtype", ["uint8", "int8"])
@pytest.mark.parametrize("head", HEADS)
def test_every_head_runs_in_integers(
    head: str, io_dtype: str, image_base: bytes, tmp_path: Path
) -> None:
    trained_model = train_randomly(image_base, tmp_path, head=head)
    path = freeze_to_integers(trained_model, io_dtype=io_dtype)
    model, dtype = read(path), DType[io_dtype.upper()]
    assert not any(t.dtype.is_float for t in model.main.tensors)
    assert [t.dtype for t in (*model.main.inputs, *model.main.outputs)] == [dtype, dtype]
    expected = personal_outputs(trained_model, scaled(IMAGES, trained_model))
    actual = outputs(path, bytes_of(IMAGES, 128 if io_dtype == "int8" else 0))
    assert np.abs(actual - expected).max() < 0.05 * np.ptp(expected) + 1 / 255


SCALES: dict[str, dict[str, object]] = {
    "0…1": {"mean": 0, "std": 255},
    "−1…1": {"mean": 127.5, "std": 127.5},
    "per channel": {"mean": (123.7, 116.3, 103.5), "std": (58.4, 57.1, 57.4)},
    "negative mean": {"mean": -10, "std": 100},
}


@pytest.mark.parametrize("name", SCALES)
def test_bytes_are_pixels_for_any_scaling(name: str, image_base: bytes, tmp_path: Path) -> None:
    trained_model = train_randomly(image_base, tmp_path, **SCALES[name])  # type: ignore[arg-type]
    expected = personal_outputs(trained_model, scaled(IMAGES, trained_model))
    actual = outputs(freeze_to_integers(trained_model), bytes_of(IMAGES))
    assert np.abs(actual - expected).max() < 0.05


def test_quantized_base_does_not_change(shared_models: Path, tmp_path: Path) -> None:
    trained_model = train_randomly(shared_models / "vww_96_int8.tflite", tmp_path, normalize=False)
    base = codes(
        sartor.freeze(trained_model.path, tmp_path / "float.tflite", trained_model.checkpoint).path
    )
    position = base.index("DEQUANTIZE")
    with_uint8 = freeze_to_integers(trained_model, "uint8.tflite")
    assert codes(with_uint8)[: position + 1] == [*base[:position], "FULLY_CONNECTED"]
    assert codes(with_uint8)[position:] == ["FULLY_CONNECTED", "SOFTMAX", "QUANTIZE"]
    with_int8 = codes(freeze_to_integers(trained_model, "int8.tflite", io_dtype="int8"))
    assert with_int8 == codes(with_uint8)[1:-1]  # no QUANTIZE from and to uint8


def test_features_calibrate_as_well_as_images(shared_models: Path, tmp_path: Path) -> None:
    """Features of samples replace photos that an app does not store."""
    trained_model = train_randomly(shared_models / "vww_96_int8.tflite", tmp_path, normalize=False)
    infer = Interpreter(str(trained_model.path)).get_signature_runner("infer")
    rows = [infer(**each)["features"][0] for each in scaled(IMAGES, trained_model)]
    one = freeze_to_integers(
        trained_model, "features.tflite", representative={"features": np.stack(rows)}
    )
    assert one.read_bytes() == freeze_to_integers(trained_model, "uint8.tflite").read_bytes()


@pytest.mark.parametrize("head", HEADS)
def test_frozen_file_has_only_ops_of_microcontrollers(
    head: str, image_base: bytes, tmp_path: Path, micro: Any
) -> None:
    """TFLite Micro supports every op; its outputs are within two levels of LiteRT's."""
    path = freeze_to_integers(train_randomly(image_base, tmp_path, head=head), io_dtype="int8")
    runner, samples = micro.from_file(str(path), arena_size=1 << 20), bytes_of(IMAGES[:5], 128)
    quantization = runner.get_output_details(0)["quantization_parameters"]
    scale, zero = quantization["scales"][0], quantization["zero_points"][0]
    for sample in samples:
        runner.set_input(sample["input"], 0)
        runner.invoke()
        actual = (runner.get_output(0).astype(np.float32) - zero) * scale
        assert np.abs(actual - outputs(path, [sample])).max() <= 2.1 * scale


def test_predictions_on_photos_agree(
    shared_models: Path, shared_data: Path, tmp_path: Path
) -> None:
    base = shared_models / "tf2_mobilenet_v2_1.0_224_ptq.tflite"
    model = sartor.convert(base, classes=10, normalize=False).save(tmp_path / "model.tflite")
    training, validation = (
        [
            (file.path, str(file.label))
            for file in read_folder(shared_data / "clothing" / part).files
        ]
        for part in ("train", "validation")
    )
    training, validation = training[::20], validation[::6]
    with PersonalModel(model) as personal:
        for path, label in training:
            personal.add_sample(path, label)
        personal.fit()
        checkpoint = personal.save(tmp_path / "mine.safetensors")
        specs = personal.manifest.inputs
    photos = [path for path, _ in training]
    plain = sartor.freeze(model, tmp_path / "plain.tflite", checkpoint)
    small = sartor.freeze(
        model,
        tmp_path / "small.tflite",
        checkpoint,
        quantize="full-integer",
        representative=photos,
    )
    inputs = [prepare(specs, path) for path, _ in validation]
    before, after = outputs(plain.path, inputs), outputs(small.path, inputs)
    assert np.mean(before.argmax(1) == after.argmax(1)) >= 0.97
    assert np.abs(after - before).max() < 0.05


def test_audio_model_runs_in_integers(shared_models: Path, tmp_path: Path) -> None:
    trained_model = train_randomly(
        shared_models / "kws_ref_model_float32.tflite", tmp_path, normalize=False
    )
    recordings = samples(trained_model.manifest.inputs, 30)
    path = freeze_to_integers(trained_model, representative=[each["input"] for each in recordings])
    quantization = read(path).main.inputs[0].quantization
    assert quantization is not None
    assert quantization.per_tensor is not None
    scale, zero = quantization.per_tensor
    quantized = [
        {"input": np.clip(np.rint(each["input"] / scale) + zero, 0, 255).astype(np.uint8)}
        for each in recordings
    ]
    assert (
        np.abs(outputs(path, quantized) - personal_outputs(trained_model, recordings)).max() < 0.05
    )


WRONG: dict[str, tuple[dict[str, Any], type[Exception], str]] = {
    "no samples": ({"representative": None}, ConversionError, "go together"),
    "zero samples": ({"representative": IMAGES[:0]}, DataError, "a few dozen"),
    "of another shape": ({"representative": np.zeros((4, 3), np.float32)}, DataError, "pixels"),
    "features of a float base": (
        {"representative": {"features": np.zeros((4, 16))}}, DataError, "base is not quantized",
    ),
    "an unknown mode": ({"quantize": "int4"}, ConversionError, "'full-integer', got 'int4'"),
    "samples without quantization": ({"quantize": "none"}, ConversionError, "go together"),
    "float32 input and output": ({"io_dtype": "float32"}, ConversionError, "'uint8' or 'int8'"),
}  # fmt: skip


@pytest.mark.parametrize("name", WRONG)
def test_invalid_arguments_raise_an_error(name: str, image_base: bytes, tmp_path: Path) -> None:
    settings, error, message = WRONG[name]
    trained_model, output = train_randomly(image_base, tmp_path), tmp_path / "out.tflite"
    settings = {"quantize": "full-integer", "representative": IMAGES, **settings}
    with pytest.raises(error, match=message):
        sartor.freeze(trained_model.path, output, trained_model.checkpoint, **settings)
    assert not output.exists()


def test_invalid_features_raise_an_error(shared_models: Path, tmp_path: Path) -> None:
    trained_model = train_randomly(shared_models / "vww_96_int8.tflite", tmp_path, normalize=False)
    for features in ({"features": np.zeros((4, 7))}, {"nothing": np.zeros((4, 256))}):
        with pytest.raises(DataError, match="features"):
            freeze_to_integers(trained_model, representative=features)


def test_error_without_the_quantizer(
    image_base: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trained_model = train_randomly(image_base, tmp_path)
    monkeypatch.setitem(__import__("sys").modules, "ai_edge_quantizer", None)
    with pytest.raises(ConversionError, match=r"pip install 'sartor\[quantize\]'"):
        freeze_to_integers(trained_model)


def test_normalized_features_are_refused(shared_models: Path, tmp_path: Path) -> None:
    trained_model = train_randomly(shared_models / "vww_96_int8.tflite", tmp_path)
    with pytest.raises(ConversionError, match="--no-normalize"):
        freeze_to_integers(trained_model)
