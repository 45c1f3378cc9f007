"""Models of the kinds that users bring: each converts, or the error gives advice that works."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

import sartor
from sartor.bases import TFLite
from sartor.errors import ConversionError, FeatureError
from sartor.inspection import ModelDescription
from sartor.testing import verify_contract

CONVERT: dict[str, int] = {
    "audio_waveform": 16, "autoencoder_dense": 32, "bool_mask_input": 8,
    "class_prior_input_rank1": 8, "classifier_batch8": 24, "cnn_dynamic_range": 24,
    "cnn_float16": 24, "cnn_int16x8": 24, "cnn_int16x8_float_io": 24, "cnn_int8": 24,
    "conv3d_video": 8, "custom_op_first": 10, "embedding_l2": 16, "fully_conv_classifier": 24,
    "gru_while": 12, "if_control_flow": 6, "linear_one_layer": 6, "nchw_classifier": 24,
    "nhwc_three_rows": 288, "normalization_inside_uint8": 24, "regression_one_number": 16,
    "text_ids_int64": 32, "text_transformer_int32": 32, "trains_itself_odt": 8,
    "two_inputs_image_and_numbers": 32, "two_outputs": 24, "vit_dynamic_batch": 24,
    "vit_small": 24, "waveform_rank1": 12, "waveform_rank1_expand": 12,
    "yamnet_like_many_frames": 120,
}  # fmt: skip
"""Model → the number of its features."""

CHOICES: dict[str, Sequence[int]] = {
    "dense_inside_while": (10,), "flex_rfft": (100,), "ssd_detector_raw": (24, 1536),
    "superres_fixed": (16, 16384), "unet_segmentation": (16, 16384),
}  # fmt: skip
"""Model → the sizes of the features to choose from."""

OPTIONS: dict[str, tuple[str, Mapping[str, Any], int]] = {
    "classifier_any_size": ("input_shape=", {"input_shape": (48, 48, 3)}, 24),
}
"""Model → the option that the error names, its value, and the number of features."""

REFUSED = {"text_string_input": "UINT8; export the part of the model after its tokenizer"}
"""Model → part of the error."""


@pytest.fixture(scope="session")
def folder(shared_cases: Path) -> Path:
    return shared_cases / "models"


def numbers(conversion: sartor.PersonalizableModel) -> int:
    (spec,) = conversion.manifest.features
    return math.prod(spec.shape)


def test_each_model_has_an_expectation(folder: Path) -> None:
    names = {path.stem for path in folder.glob("*.tflite")}
    assert names == {*CONVERT, *CHOICES, *OPTIONS, *REFUSED}


@pytest.mark.parametrize("name", CONVERT)
def test_model_converts(name: str, folder: Path) -> None:
    conversion = sartor.convert(folder / f"{name}.tflite", classes=3)
    assert numbers(conversion) == CONVERT[name]
    report = verify_contract(conversion.content)
    assert report.passed, report.failures


@pytest.mark.parametrize("name", CHOICES)
def test_each_choice_of_the_error_converts(name: str, folder: Path) -> None:
    path = folder / f"{name}.tflite"
    with pytest.raises(FeatureError) as error_info:
        sartor.convert(path, classes=3)
    choices = error_info.value.choices
    assert tuple(choices.values()) == tuple(CHOICES[name])
    for names, size in choices.items():
        conversion = sartor.convert(path, classes=3, features=names)
        assert numbers(conversion) == size
        report = verify_contract(conversion.content)
        assert report.passed, report.failures


@pytest.mark.parametrize("name", OPTIONS)
def test_the_option_of_the_error_converts(name: str, folder: Path) -> None:
    path = folder / f"{name}.tflite"
    message, options, size = OPTIONS[name]
    with pytest.raises(ConversionError, match=message):
        sartor.convert(path, classes=3)
    conversion = sartor.convert(TFLite(path, **options), classes=3)
    assert numbers(conversion) == size
    report = verify_contract(conversion.content)
    assert report.passed, report.failures


@pytest.mark.parametrize("name", REFUSED)
def test_other_models_are_refused(name: str, folder: Path) -> None:
    with pytest.raises(ConversionError, match=REFUSED[name]):
        sartor.convert(folder / f"{name}.tflite", classes=3)


@pytest.mark.parametrize("name", [*CONVERT, *CHOICES, *OPTIONS, *REFUSED])
def test_model_is_described(name: str, folder: Path) -> None:
    description = sartor.describe(folder / f"{name}.tflite")
    assert isinstance(description, ModelDescription)
    assert description.unreadable == {}
