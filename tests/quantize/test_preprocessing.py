"""The file states the scaling of images, and the base gets the values that it expects."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from quantize_bases import SIZE, base, quantized_input

import sartor
from sartor.bases import EfficientNetLite0
from sartor.errors import ConversionError
from sartor.flatbuffer import METADATA_NAME, decode_metadata, encode_metadata, read, write
from sartor.flatbuffer.metadata_tables import (
    AudioProperties,
    Content,
    FeatureProperties,
    ModelMetadata,
    NormalizationOptions,
    ProcessUnit,
    SubGraphMetadata,
    TensorMetadata,
)
from sartor.graph import DType
from sartor.modalities import prepare
from sartor.quantization.report import compute_features
from sartor.testing.verify import verify_contract

PIXELS = np.random.default_rng(0).integers(0, 256, (SIZE, SIZE, 3)).astype(np.uint8)

# Name → mean and std of red, green and blue, and the order of the channels.
CONVENTIONS: dict[str, tuple[list[float], list[float], str]] = {
    "0..1": ([0.0] * 3, [255.0] * 3, "rgb"),
    "-1..1": ([127.5] * 3, [127.5] * 3, "rgb"),
    "0..255": ([0.0] * 3, [1.0] * 3, "rgb"),
    "imagenet": ([123.675, 116.28, 103.53], [58.395, 57.12, 57.375], "rgb"),
    "caffe": ([123.68, 116.779, 103.939], [1.0] * 3, "bgr"),
}


def features(model: sartor.PersonalizableModel, sample: np.ndarray = PIXELS) -> np.ndarray:
    inputs = prepare(model.manifest.inputs, sample)
    result: np.ndarray = compute_features(model.content, [inputs], ["features"])[0]
    return result.ravel()


def unscaled_features(array: np.ndarray) -> np.ndarray:
    """Return the features of an array that is passed without scaling."""
    model = sartor.convert(base(), classes=2, normalize=False, preprocessing="0..255")
    return features(model, array.astype(np.float32)[np.newaxis])


@pytest.mark.parametrize(("name", "convention"), CONVENTIONS.items(), ids=CONVENTIONS)
def test_preprocessing_names_set_mean_and_std(
    name: str, convention: tuple[list[float], list[float], str]
) -> None:
    mean, std, order = convention
    model = sartor.convert(base(), classes=2, normalize=False, preprocessing=name)
    scaled = (PIXELS - np.array(mean)) / np.array(std)
    expected = unscaled_features(scaled[..., ::-1] if order == "bgr" else scaled)
    np.testing.assert_allclose(features(model), expected, rtol=1e-4, atol=1e-4)
    assert not model.notes
    assert verify_contract(model.content).passed


def test_the_standard_metadata_set_mean_and_std() -> None:
    model = sartor.convert(base(), classes=2, normalize=False, preprocessing="imagenet")
    metadata = decode_metadata(read(model.content).metadata[METADATA_NAME])
    (image,) = metadata.subgraph_metadata[0].input_tensor_metadata
    assert image.normalization is not None
    mean, std, _ = CONVENTIONS["imagenet"]
    np.testing.assert_allclose(image.normalization.mean, mean, rtol=1e-6)
    np.testing.assert_allclose(image.normalization.std, std, rtol=1e-6)


def test_the_scaling_is_part_of_the_fingerprint() -> None:
    fingerprints = {
        name: sartor.convert(
            base(), classes=2, normalize=False, preprocessing=name
        ).manifest.fingerprints.base
        for name in CONVENTIONS
    }
    assert len(set(fingerprints.values())) == len(fingerprints)


@pytest.mark.parametrize("options", [{"preprocessing": "caffe"}, {"preprocessing": "imagenet"}, {}])
def test_bases_with_channels_first_take_channels_last(options: dict[str, Any]) -> None:
    first = sartor.convert(base((1, 3, SIZE, SIZE)), classes=2, normalize=False, **options)
    other = sartor.convert(base(), classes=2, normalize=False, **options)
    assert first.manifest.inputs == other.manifest.inputs
    np.testing.assert_allclose(features(first), features(other), rtol=1e-5, atol=1e-5)
    assert [op.code for op in read(first.content).main.ops].count("TRANSPOSE") == 2
    second = sartor.convert(first.content, classes=5)
    np.testing.assert_array_equal(features(second), features(first))
    assert verify_contract(first.content).passed


@pytest.mark.parametrize(
    ("shape", "content", "modality"),
    [
        ((1, 3, 16, 16), None, "image"),
        ((1, 3, 16, 16), FeatureProperties(), "tensor"),
        ((1, 3, 16, 16), AudioProperties(), "tensor"),
        ((1, 1, 16, 16), None, "image"),
        ((1, 1, 16, 12), None, "tensor"),
        ((1, 3, 4, 16), None, "tensor"),
        ((1, 5, 16, 16), None, "tensor"),
    ],
    ids=str,
)
def test_only_images_are_transposed(shape: tuple[int, ...], content: Any, modality: str) -> None:
    model = quantized_input(1 / 255, 0, shape=shape)
    if content is not None:
        describe(model, TensorMetadata(content=Content(content_properties=content)))
    conversion = sartor.convert(write(model), classes=2, normalize=False)
    assert conversion.manifest.inputs[0].modality == modality
    batch, channels, height, width = shape
    expected = (batch, height, width, channels) if modality == "image" else shape
    assert conversion.manifest.inputs[0].shape == expected


WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "no such name": ({"preprocessing": "torch"}, "'0..1', '-1..1', '0..255', 'imagenet', 'caffe'"),
    "two options for one value": ({"preprocessing": "0..1", "mean": 0}, "leave them out"),
    "an empty mean": ({"mean": []}, "one finite value"),
    "two of three channels": ({"mean": [1, 2]}, "each of the 3 channels"),
}


@pytest.mark.parametrize(("options", "message"), WRONG.values(), ids=WRONG)
def test_invalid_arguments_are_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ConversionError, match=message.replace(".", r"\.")):
        sartor.convert(base(), classes=2, normalize=False, **options)


def test_bgr_needs_three_channels(tiny_base: bytes) -> None:
    with pytest.raises(ConversionError, match="image input of three channels"):
        sartor.convert(tiny_base, classes=2, preprocessing="caffe")


def test_bgr_is_refused_for_personalizable_files() -> None:
    model = sartor.convert(base(), classes=2).content
    with pytest.raises(ConversionError, match="convert the original base"):
        sartor.convert(model, classes=2, preprocessing="caffe")


# --- quantized inputs -----------------------------------------------------------------------------


def describe(model: Any, tensor: TensorMetadata) -> None:
    metadata = ModelMetadata(subgraph_metadata=(SubGraphMetadata(input_tensor_metadata=(tensor,)),))
    model.metadata[METADATA_NAME] = encode_metadata(metadata)


def normalized(mean: tuple[float, ...], std: tuple[float, ...]) -> TensorMetadata:
    return TensorMetadata(
        process_units=(ProcessUnit(options=NormalizationOptions(mean=mean, std=std)),)
    )


IMAGENET_MEAN, IMAGENET_STD, _ = CONVENTIONS["imagenet"]
# Scale, zero point (uint8), mean and std of the metadata, expected dtype of the input.
QUANTIZED: dict[str, tuple[float, int, Any, Any, str]] = {
    "no metadata": (0.0187, 114, None, None, "uint8"),
    "equal": (1 / 127.5, 128, (127.5,), (127.5,), "uint8"),
    "equal up to rounding to powers of two": (1 / 128, 128, (127.5,), (127.5,), "uint8"),
    "0..1": (1 / 255, 0, (0.0,), (255.0,), "uint8"),
    "ImageNet": (0.0187, 114, tuple(IMAGENET_MEAN), tuple(IMAGENET_STD), "float32"),
    "another zero point": (1 / 127.5, 100, (127.5,), (127.5,), "float32"),
    "twice the scale": (2 / 127.5, 64, (127.5,), (127.5,), "float32"),
    "for unscaled bytes": (1 / 127.5, 128, (0.0,), (1.0,), "uint8"),
}


@pytest.mark.parametrize("dtype", [DType.UINT8, DType.INT8], ids=["uint8", "int8"])
@pytest.mark.parametrize(
    ("scale", "zero", "mean", "std", "expected"), QUANTIZED.values(), ids=QUANTIZED
)
def test_a_quantized_base_gets_the_values_of_its_metadata(
    dtype: DType, scale: float, zero: int, mean: Any, std: Any, expected: str
) -> None:
    model = quantized_input(scale, zero - 128 * (dtype is DType.INT8), dtype)
    if mean is not None:
        describe(model, normalized(mean, std))
    conversion = sartor.convert(write(model), classes=2, normalize=False)
    (spec,) = conversion.manifest.inputs
    assert (spec.modality, spec.dtype) == ("image", expected)
    pixels = PIXELS[:8, :8]
    actual = features(conversion, pixels).reshape(8, 8, 3)
    if expected == "uint8":
        np.testing.assert_allclose(
            actual, scale * (pixels.astype(float) - zero), rtol=1e-5, atol=1e-5
        )
    else:
        reals = (pixels - np.array(mean)) / np.array(std)
        clipped = np.clip(reals, -scale * zero, scale * (255 - zero))
        np.testing.assert_allclose(actual, clipped, atol=0.51 * scale)
    second = sartor.convert(conversion.content, classes=3)
    np.testing.assert_array_equal(features(second, pixels).reshape(8, 8, 3), actual)


def test_options_take_precedence_over_metadata() -> None:
    model = quantized_input(0.0187, 114)
    describe(model, normalized((0.0,), (1.0,)))
    conversion = sartor.convert(write(model), classes=2, preprocessing="imagenet")
    assert conversion.manifest.inputs[0].dtype == "float32"


def test_scaling_outside_the_range_of_a_quantized_input_is_refused() -> None:
    with pytest.raises(
        ConversionError, match=r"the range -1\.00\d* to 0\.99\d*.*the input takes pixels"
    ):
        sartor.convert(write(quantized_input(1 / 127.5, 128)), classes=2, preprocessing="0..255")


# --- images on another scale --------------------------------------------------------------------

UNIT = ("0..1", "-1..1", "imagenet")
# Model of ../shared/models → its preprocessing, and others that a note can detect.
REAL: dict[str, tuple[str, tuple[str, ...]]] = {
    "vww_96_float.tflite": ("0..1", ("0..255", "caffe")),
    "pretrainedResnet.tflite": ("0..255", UNIT),
}


def scale_of(name: str) -> dict[str, Any]:
    mean, std, _ = CONVENTIONS[name]
    return {"mean": mean, "std": std}


@pytest.mark.parametrize(("name", "scales"), REAL.items(), ids=REAL)
def test_a_wrong_scale_causes_a_note(
    name: str, scales: tuple[str, tuple[str, ...]], shared_models: Path
) -> None:
    correct, others = scales
    model = sartor.convert(shared_models / name, classes=2, **scale_of(correct))
    assert not model.notes
    for each in others:
        (note,) = sartor.convert(shared_models / name, classes=2, **scale_of(each)).notes
        assert "probably trained with another scale" in note
        assert f"preprocessing {correct}" in note
        assert not sartor.convert(shared_models / name, classes=2, preprocessing=each).notes


def test_the_right_scale_causes_no_note(real_model: Path) -> None:
    scales = REAL.get(real_model.name)
    model = sartor.convert(real_model, classes=2, **(scale_of(scales[0]) if scales else {}))
    assert not any("trained with another scale" in note for note in model.notes)


def test_the_float_starter_causes_no_note() -> None:
    small = EfficientNetLite0(input_size=96, quantize=False)
    assert not sartor.convert(small, classes=2).notes
    (note,) = sartor.convert(small, classes=2, mean=0, std=1).notes
    assert "images are scaled to 0…255" in note


def test_the_scale_of_very_large_images_is_not_checked(monkeypatch: pytest.MonkeyPatch) -> None:
    """The check would take gigabytes for an input of 1,000,000 x 10 pixels."""
    small = EfficientNetLite0(input_size=96, quantize=False)
    monkeypatch.setattr("sartor.passes.images.check_scaling._LARGEST_IMAGE", 96 * 96 * 3 - 1)
    assert not sartor.convert(small, classes=2, mean=0, std=1).notes


# Gain of the first layer, which suits one scale; preprocessing; whether a note is expected.
GAINS: dict[str, tuple[float, str, bool]] = {
    "unit": (1.0, "0..1", False),
    "unit, another convention": (1.0, "imagenet", False),
    "unit, but 0…255": (1.0, "0..255", True),
    "0…255": (0.01, "0..255", False),
    "0…255, but unit": (0.01, "-1..1", True),
    "nothing fits": (1e6, "0..1", False),
}


@pytest.mark.parametrize("shape", [(1, SIZE, SIZE, 3), (1, 3, SIZE, SIZE)], ids=["nhwc", "nchw"])
@pytest.mark.parametrize(("gain", "name", "has_note"), GAINS.values(), ids=GAINS)
def test_the_first_layer_reveals_a_wrong_scale(
    gain: float, name: str, has_note: bool, shape: tuple[int, ...]
) -> None:
    model = sartor.convert(base(shape, gain=gain), classes=2, **scale_of(name))
    assert bool(model.notes) == has_note


def test_one_note_is_printed_without_options() -> None:
    (unknown,) = sartor.convert(base(), classes=2).notes
    assert "no metadata on image scaling" in unknown
    (better,) = sartor.convert(base(gain=0.01), classes=2).notes
    assert "Try preprocessing 0..255" in better
