"""Quantization at conversion: size, error and report of each mode."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from quantize_bases import SIZE, base, quantized_input, save_images

import sartor
from sartor.bases import EfficientNetLite0
from sartor.errors import ConversionError, DataError
from sartor.flatbuffer import read, write
from sartor.graph import DType
from sartor.modalities import prepare
from sartor.quantization.report import compute_features
from sartor.testing.verify import verify_contract

pytest.importorskip("ai_edge_quantizer")

# Mode → limits of the relative error of the features and of the relative size of the file.
MODES = {"dynamic": (0.03, 0.6), "float16": (0.002, 0.8), "full-integer": (0.1, 0.6)}


@pytest.fixture(scope="module")
def photos(sample_folder: Path) -> list[Path]:
    return sorted(sample_folder.glob("*/*.png"))


@pytest.fixture(scope="module")
def sample_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_images(tmp_path_factory.mktemp("samples"))


def error_of(model: sartor.PersonalizableModel) -> float:
    report = model.quantization
    assert report is not None
    assert report.relative_error is not None
    return report.relative_error


def features(model: sartor.PersonalizableModel, samples: Iterable[Any]) -> np.ndarray:
    inputs = (prepare(model.manifest.inputs, sample) for sample in samples)
    return compute_features(model.content, inputs, ["features"])[0]


@pytest.mark.parametrize("mode", MODES)
def test_each_mode_reduces_the_size_and_passes_the_verifier(mode: str, sample_folder: Path) -> None:
    files = sorted(sample_folder.glob("*/*.png"))
    original = sartor.convert(base(), classes=3, preprocessing="-1..1")
    model = sartor.convert(
        base(), classes=3, preprocessing="-1..1", quantize=mode, representative=files
    )
    limit, share = MODES[mode]
    report = model.quantization
    assert report is not None
    assert report.bytes_after < share * report.bytes_before
    assert (report.mode, report.samples, report.few_shot) == (mode, 24, None)
    assert report.calibrated == (24 if mode == "full-integer" else 0)
    assert 0 < error_of(model) < limit
    assert 1 - limit < (report.cosine or 0) < 1
    old, new = features(original, files), features(model, files)
    errors = np.linalg.norm(new - old, axis=1) / np.linalg.norm(old, axis=1)
    assert errors.mean() == pytest.approx(error_of(model), rel=1e-3)
    verification = verify_contract(model.content)
    assert verification.passed, verification.failures


def test_with_classes_accuracy_is_measured_before_and_after(sample_folder: Path) -> None:
    model = sartor.convert(base(), classes=3, quantize="full-integer", representative=sample_folder)
    assert model.quantization is not None
    few_shot = model.quantization.few_shot
    assert few_shot is not None
    assert (few_shot.shots, few_shot.tested) == (4, 12)
    assert len(few_shot.before) == len(few_shot.after) == 5
    assert min(few_shot.before) > 0.8
    assert abs(few_shot.loss) < 0.1


@pytest.mark.parametrize(
    ("options", "dtype"),
    [
        ({"preprocessing": "0..1"}, "uint8"),
        ({"preprocessing": "-1..1"}, "uint8"),
        ({"mean": 127, "std": 128}, "uint8"),
        ({"preprocessing": "imagenet"}, "float32"),
        ({"mean": 300, "std": 100}, "float32"),
        ({"mean": -20, "std": 100}, "float32"),
    ],
    ids=str,
)
def test_image_inputs_become_uint8_if_the_scaling_allows_it(
    options: dict[str, Any], dtype: str, photos: list[Path]
) -> None:
    model = sartor.convert(
        base(), classes=2, quantize="full-integer", representative=photos, **options
    )
    (spec,) = model.manifest.inputs
    assert (spec.dtype, spec.modality) == (dtype, "image")
    assert error_of(model) < 0.1
    second = sartor.convert(model.content, classes=3)
    assert second.manifest.inputs == model.manifest.inputs


def test_features_are_exact_integers(photos: list[Path]) -> None:
    model = sartor.convert(
        base(), classes=2, normalize=False, quantize="full-integer", representative=photos
    )
    (spec,) = model.manifest.features
    assert spec.dtype == "int8"
    assert spec.scale is not None
    assert spec.zero_point is not None
    integers = features(model, photos) / spec.scale + spec.zero_point
    assert np.abs(integers - np.rint(integers)).max() < 1e-3
    infer = read(model.content).main
    assert [op.code for op in infer.ops].count("DEQUANTIZE") == 1


def test_overflowing_biases_are_corrected(photos: list[Path]) -> None:
    model = sartor.convert(
        base(dead=True), classes=2, quantize="full-integer", representative=photos
    )
    assert error_of(model) < 0.1


def test_weights_of_depthwise_layers_stay_float_in_dynamic(shared_models: Path) -> None:
    model = sartor.convert(shared_models / "vww_96_float.tflite", classes=2, quantize="dynamic")
    dtypes = {
        op.code: op.input(1).dtype
        for op in read(model.content).main.ops
        if op.code in ("CONV_2D", "DEPTHWISE_CONV_2D")
    }
    assert dtypes == {"CONV_2D": DType.INT8, "DEPTHWISE_CONV_2D": DType.FLOAT32}


def test_ops_have_the_versions_of_their_dtypes(photos: list[Path]) -> None:
    model = sartor.convert(base(), classes=2, quantize="full-integer", representative=photos)
    versions = {op.code: op.version for op in read(model.content).main.ops}
    assert versions["CONV_2D"] == 3


def images(count: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (count, SIZE, SIZE, 3)).astype(np.uint8)


REPRESENTATIVES: dict[str, tuple[Callable[[], Any], int]] = {
    "an array of pixels": (lambda: images(9), 9),
    "an array of inputs": (lambda: (images(7) / 255).astype(np.float32), 7),
    "a generator": (lambda: (row for row in images(5)), 5),
    "pairs with classes": (
        lambda: [(row, f"{i % 2}") for i, row in enumerate(images(4))],
        4,
    ),
    "more than the limit": (lambda: images(700), 500),
}


@pytest.mark.parametrize(("make_samples", "count"), REPRESENTATIVES.values(), ids=REPRESENTATIVES)
def test_samples_are_read_from_any_source(make_samples: Callable[[], Any], count: int) -> None:
    model = sartor.convert(
        base(),
        classes=2,
        preprocessing="0..1",
        quantize="full-integer",
        representative=make_samples(),
    )
    report = model.quantization
    assert report is not None
    assert (report.samples, report.calibrated) == (count, min(count, 100))
    assert (report.few_shot is not None) == (isinstance(make_samples(), list))


def test_duplicate_samples_count_once() -> None:
    pairs = [(row, f"{i % 2}") for i, row in enumerate(images(6))]
    same = [(pairs[0][0], "1")]
    model = sartor.convert(base(), classes=2, quantize="float16", representative=pairs + same)
    assert model.quantization is not None
    few_shot = model.quantization.few_shot
    assert few_shot is not None
    assert (model.quantization.samples, few_shot.shots, few_shot.tested) == (7, 1, 4)


def test_a_flat_folder_has_no_classes(tmp_path: Path) -> None:
    folder = save_images(tmp_path / "all", classes=1, count=4) / "class 0"
    model = sartor.convert(base(), classes=2, quantize="float16", representative=folder)
    assert model.quantization is not None
    assert (model.quantization.samples, model.quantization.few_shot) == (4, None)


def test_inputs_other_than_images_stay_float(tiny_base: bytes) -> None:
    samples = np.random.default_rng(0).normal(size=(20, 8)).astype(np.float32)
    model = sartor.convert(tiny_base, classes=2, quantize="full-integer", representative=samples)
    assert model.manifest.inputs[0].dtype == "float32"
    assert error_of(model) < 0.05


WRONG: dict[str, tuple[dict[str, Any], type[Exception], str]] = {
    "no such mode": ({"quantize": "int8"}, ConversionError, "one of 'none', 'dynamic'"),
    "no samples": ({"quantize": "full-integer"}, ConversionError, "representative"),
    "an empty array": (
        {"quantize": "full-integer", "representative": images(0)}, DataError, "no representative",
    ),
    "samples without quantization": (
        {"representative": images(2)}, ConversionError, "need a quantization mode",
    ),
    "no such folder": (
        {"quantize": "dynamic", "representative": "nowhere"}, OSError, "nowhere",
    ),
    "samples of another shape": (
        {"quantize": "dynamic", "representative": np.zeros((3, 5), np.float32)}, DataError, "got",
    ),
    "a mix with and without classes": (
        {"quantize": "dynamic", "representative": [(images(1)[0], "a"), images(1)[0]]},
        DataError, "all of them a class, or none",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("options", "error", "message"), WRONG.values(), ids=WRONG)
def test_invalid_arguments_are_refused(
    options: dict[str, Any], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        sartor.convert(base(), classes=2, **options)


@pytest.mark.parametrize("mode", MODES)
def test_a_quantized_base_is_refused(mode: str) -> None:
    content = write(quantized_input(1 / 255, 0))
    samples = images(3)[:, :8, :8]
    with pytest.raises(ConversionError, match="already quantized"):
        sartor.convert(content, classes=2, quantize=mode, representative=samples)


def test_full_integer_keeps_int8_weights(
    shared_models: Path,
) -> None:
    keywords = shared_models / "kws_ref_model_float32.tflite"
    samples = np.random.default_rng(0).normal(size=(30, 49, 10, 1)).astype(np.float32)
    model = sartor.convert(keywords, classes=3, quantize="full-integer", representative=samples)
    assert error_of(model) < 0.1
    for mode in ("dynamic", "float16"):
        with pytest.raises(ConversionError, match=r"weights are int8.*use full-integer"):
            sartor.convert(keywords, classes=3, quantize=mode)


def test_the_quantized_float_starter_matches_its_int8_version(shared_data: Path) -> None:
    photos = sorted((shared_data / "clothing" / "validation").glob("*/*.jpg"))[::12]
    float_base = EfficientNetLite0(input_size=96, quantize=False)
    model = sartor.convert(float_base, classes=4, quantize="full-integer", representative=photos)
    int8_model = sartor.convert(EfficientNetLite0(input_size=96), classes=4)
    assert model.quantization is not None
    assert (model.quantization.cosine or 0) > 0.985
    assert model.manifest.inputs == int8_model.manifest.inputs
    assert len(model.content) < 1.05 * len(int8_model.content)
