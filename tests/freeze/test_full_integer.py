"""Full-integer quantization of frozen files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from ai_edge_litert.interpreter import Interpreter
from freezing import HEADS, Learned, codes, learned, outputs, personal_outputs, samples

import sartor
from sartor import PersonalModel
from sartor.errors import ConversionError, DataError
from sartor.flatbuffer import read
from sartor.graph import DType
from sartor.modalities import prepare, read_folder

pytestmark = pytest.mark.usefixtures("quantizer")

PICTURES = np.random.default_rng(0).integers(0, 256, (40, 8, 10, 3)).astype(np.uint8)


def integers(made: Learned, name: str = "int.tflite", **settings: Any) -> Path:
    settings = {"representative": PICTURES, **settings}
    return sartor.freeze(
        made.path,
        made.path.with_name(name),
        made.checkpoint,
        quantize="full-integer",
        **settings,
    ).path


def scaled(pixels: np.ndarray, made: Learned) -> list[dict[str, np.ndarray]]:
    return [prepare(made.manifest.inputs, each) for each in pixels]


def bytes_of(pixels: np.ndarray, shift: int = 0) -> list[dict[str, np.ndarray]]:
    kind = np.int8 if shift else np.uint8
    return [{"input": (each[np.newaxis].astype(np.int32) - shift).astype(kind)} for each in pixels]


@pytest.mark.parametrize("io_dtype", ["uint8", "int8"])
@pytest.mark.parametrize("head", HEADS)
def test_every_head_in_integers(
    head: str, io_dtype: str, image_base: bytes, tmp_path: Path
) -> None:
    made = learned(image_base, tmp_path, head=head)
    path = integers(made, io_dtype=io_dtype)
    model, kind = read(path), DType[io_dtype.upper()]
    assert not any(t.dtype.is_float for t in model.main.tensors)
    assert [t.dtype for t in (*model.main.inputs, *model.main.outputs)] == [kind, kind]
    wanted = personal_outputs(made, scaled(PICTURES, made))
    found = outputs(path, bytes_of(PICTURES, 128 if io_dtype == "int8" else 0))
    assert np.abs(found - wanted).max() < 0.05 * np.ptp(wanted) + 1 / 255


SCALES: dict[str, dict[str, object]] = {
    "0…1": {"mean": 0, "std": 255},
    "−1…1": {"mean": 127.5, "std": 127.5},
    "a channel": {"mean": (123.7, 116.3, 103.5), "std": (58.4, 57.1, 57.4)},
    "from below": {"mean": -10, "std": 100},
}


@pytest.mark.parametrize("name", SCALES)
def test_bytes_are_pixels_for_any_scaling(name: str, image_base: bytes, tmp_path: Path) -> None:
    made = learned(image_base, tmp_path, **SCALES[name])  # type: ignore[arg-type]
    wanted = personal_outputs(made, scaled(PICTURES, made))
    found = outputs(integers(made), bytes_of(PICTURES))
    assert np.abs(found - wanted).max() < 0.05


def test_quantized_base_does_not_change(shared_models: Path, tmp_path: Path) -> None:
    made = learned(shared_models / "vww_96_int8.tflite", tmp_path)
    base = codes(sartor.freeze(made.path, tmp_path / "float.tflite", made.checkpoint).path)
    at = base.index("DEQUANTIZE")
    pictures = integers(made, "pictures.tflite")
    assert codes(pictures)[: at + 1] == [*base[:at], "FULLY_CONNECTED"]
    assert codes(pictures)[at:] == ["FULLY_CONNECTED", "SOFTMAX", "QUANTIZE"]
    bare = codes(integers(made, "bare.tflite", io_dtype="int8"))
    assert bare == codes(pictures)[1:-1]  # no QUANTIZE from and to uint8


def test_features_calibrate_as_well_as_images(shared_models: Path, tmp_path: Path) -> None:
    """Who keeps no photos has the features of the samples."""
    made = learned(shared_models / "vww_96_int8.tflite", tmp_path)
    infer = Interpreter(str(made.path)).get_signature_runner("infer")
    rows = [infer(**each)["features"][0] for each in scaled(PICTURES, made)]
    one = integers(made, "features.tflite", representative={"features": np.stack(rows)})
    assert one.read_bytes() == integers(made, "pictures.tflite").read_bytes()


@pytest.mark.parametrize("head", HEADS)
def test_frozen_file_has_only_ops_of_microcontrollers(
    head: str, image_base: bytes, tmp_path: Path, micro: Any
) -> None:
    """TFLite Micro knows every op, and rounds within two levels of LiteRT."""
    path = integers(learned(image_base, tmp_path, head=head), io_dtype="int8")
    runner, given = micro.from_file(str(path), arena_size=1 << 20), bytes_of(PICTURES[:5], 128)
    quantization = runner.get_output_details(0)["quantization_parameters"]
    scale, zero = quantization["scales"][0], quantization["zero_points"][0]
    for sample in given:
        runner.set_input(sample["input"], 0)
        runner.invoke()
        found = (runner.get_output(0).astype(np.float32) - zero) * scale
        assert np.abs(found - outputs(path, [sample])).max() <= 2.1 * scale


def test_predictions_on_photos_agree(
    shared_models: Path, shared_data: Path, tmp_path: Path
) -> None:
    base = shared_models / "tf2_mobilenet_v2_1.0_224_ptq.tflite"
    model = sartor.convert(base, classes=10).save(tmp_path / "model.tflite")
    taught = read_folder(shared_data / "clothing" / "train")[::20]
    asked = read_folder(shared_data / "clothing" / "validation")[::6]
    with PersonalModel(model) as personal:
        for path, label in taught:
            personal.add_sample(path, label)
        personal.fit()
        checkpoint = personal.save(tmp_path / "mine.safetensors")
        specs = personal.manifest.inputs
    shown = [path for path, _ in taught]
    plain = sartor.freeze(model, tmp_path / "plain.tflite", checkpoint)
    small = sartor.freeze(
        model,
        tmp_path / "small.tflite",
        checkpoint,
        quantize="full-integer",
        representative=shown,
    )
    given = [prepare(specs, path) for path, _ in asked]
    before, after = outputs(plain.path, given), outputs(small.path, given)
    assert np.mean(before.argmax(1) == after.argmax(1)) >= 0.97
    assert np.abs(after - before).max() < 0.05


def test_audio_model(shared_models: Path, tmp_path: Path) -> None:
    made = learned(shared_models / "kws_ref_model_float32.tflite", tmp_path)
    shown = samples(made.manifest.inputs, 30)
    path = integers(made, representative=[each["input"] for each in shown])
    quantization = read(path).main.inputs[0].quantization
    assert quantization is not None
    assert quantization.per_tensor is not None
    scale, zero = quantization.per_tensor
    given = [
        {"input": np.clip(np.rint(each["input"] / scale) + zero, 0, 255).astype(np.uint8)}
        for each in shown
    ]
    assert np.abs(outputs(path, given) - personal_outputs(made, shown)).max() < 0.05


WRONG: dict[str, tuple[dict[str, Any], type[Exception], str]] = {
    "no samples": ({"representative": None}, ConversionError, "go together"),
    "not a sample": ({"representative": PICTURES[:0]}, DataError, "some dozens"),
    "of another shape": ({"representative": np.zeros((4, 3), np.float32)}, DataError, "input"),
    "features of a float base": (
        {"representative": {"features": np.zeros((4, 16))}}, DataError, "base is not quantized",
    ),
    "another kind": ({"quantize": "int4"}, ConversionError, "'full-integer', got 'int4'"),
    "samples for nothing": ({"quantize": "none"}, ConversionError, "go together"),
    "float32 input and output": ({"io_dtype": "float32"}, ConversionError, "'uint8' or 'int8'"),
}  # fmt: skip


@pytest.mark.parametrize("name", WRONG)
def test_invalid_arguments_raise_an_error(name: str, image_base: bytes, tmp_path: Path) -> None:
    settings, kind, words = WRONG[name]
    made, output = learned(image_base, tmp_path), tmp_path / "out.tflite"
    settings = {"quantize": "full-integer", "representative": PICTURES, **settings}
    with pytest.raises(kind, match=words):
        sartor.freeze(made.path, output, made.checkpoint, **settings)
    assert not output.exists()


def test_invalid_features_raise_an_error(shared_models: Path, tmp_path: Path) -> None:
    made = learned(shared_models / "vww_96_int8.tflite", tmp_path)
    for shown in ({"features": np.zeros((4, 7))}, {"nothing": np.zeros((4, 256))}):
        with pytest.raises(DataError, match="features"):
            integers(made, representative=shown)


def test_error_without_the_quantizer(
    image_base: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = learned(image_base, tmp_path)
    monkeypatch.setitem(__import__("sys").modules, "ai_edge_quantizer", None)
    with pytest.raises(ConversionError, match=r"pip install 'sartor\[quantize\]'"):
        integers(made)
