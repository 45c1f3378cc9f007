"""Values of the user become the inputs of a base."""

from __future__ import annotations

import numpy as np
import pytest

from sartor.contract.manifest import InputSpec
from sartor.errors import DataError
from sartor.modalities import image_pixels, prepare

FLOAT = InputSpec("input", (1, 8, 10, 3), "float32", "image", (1.0, 2.0, 3.0), (2.0, 4.0, 8.0))
BYTES = InputSpec("input", (1, 8, 10, 3), "uint8", "image")
PIXELS = np.random.default_rng(0).integers(0, 256, (30, 20, 3), np.uint8)


def test_a_uint8_input_gets_pixels() -> None:
    (array,) = prepare([BYTES], PIXELS).values()
    assert array.dtype == np.uint8
    np.testing.assert_array_equal(array[0], image_pixels(PIXELS, (8, 10)))
    np.testing.assert_array_equal(prepare([BYTES], array)["input"], array)


def test_a_float_input_is_normalized_per_channel() -> None:
    array = prepare([FLOAT], PIXELS)["input"]
    assert array.dtype == np.float32
    expected = (image_pixels(PIXELS, (8, 10)) - np.array([1.0, 2, 3])) / np.array([2.0, 4, 8])
    np.testing.assert_allclose(array[0], expected, rtol=1e-6)


def test_a_float_array_of_the_shape_of_the_input_does_not_change() -> None:
    values = np.random.default_rng(0).normal(size=FLOAT.shape)
    np.testing.assert_array_equal(prepare([FLOAT], values)["input"], values.astype(np.float32))


@pytest.mark.parametrize("spec", [FLOAT, BYTES])
def test_pixels_in_any_form_give_the_same_input(spec: InputSpec) -> None:
    """Also a batch of 1 in the size of the input, unless it is in the dtype of the input."""
    pixels = np.random.default_rng(0).integers(0, 256, (8, 10, 3), np.uint8)
    expected = prepare([spec], pixels)["input"]
    for value in (pixels[np.newaxis], pixels.astype(np.float32), pixels / 255, pixels.tolist()):
        np.testing.assert_array_equal(prepare([spec], np.asarray(value))["input"], expected)


@pytest.mark.parametrize(
    ("spec", "array", "message"),
    [
        (FLOAT, np.full((8, 10, 3), 300.0), "float64 from 300 to 300, expected 0…255"),
        (BYTES, np.full((1, 8, 10, 3), -1.0), "float64 from -1 to -1"),
        (BYTES, np.zeros((1, 8, 10, 3), np.int64) - 1, "int64 from -1 to -1"),
        (FLOAT, np.zeros((1, 8, 10, 3), np.uint8)[..., :2], "uint8"),
        (FLOAT, np.full(FLOAT.shape, np.nan, np.float32), "not finite"),
        (FLOAT, 3, "got int"),
    ],
)
def test_other_arrays_are_refused(spec: InputSpec, array: np.ndarray, message: str) -> None:
    with pytest.raises(DataError, match=message):
        prepare([spec], array)


def test_integers_must_be_in_the_range_of_the_dtype() -> None:
    spec = InputSpec("input", (1, 3), "int32")
    assert prepare([spec], np.array([[1, 2, 3]]))["input"].dtype == np.int32
    with pytest.raises(DataError, match="got int64"):
        prepare([spec], np.array([[1, 2, 2**31]]))


def test_several_inputs_are_given_by_name() -> None:
    specs = [FLOAT, InputSpec("extra", (1, 2), "float32")]
    sample = {"extra": np.zeros((1, 2)), "input": PIXELS}
    assert list(prepare(specs, sample)) == ["input", "extra"]
    with pytest.raises(DataError, match="inputs are input, extra; got input"):
        prepare(specs, {"input": PIXELS})
    with pytest.raises(DataError, match="got one value without a name"):
        prepare(specs, PIXELS)
