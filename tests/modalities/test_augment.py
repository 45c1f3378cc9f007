"""Augmentations of an image follow the arithmetic of `sartor.modalities.image.augment`."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import PIL.Image
import pytest

from sartor._random_numbers import RandomNumbers
from sartor.contract.manifest import InputSpec
from sartor.errors import DataError
from sartor.modalities import Sample, load
from sartor.modalities.image.augment import crop_box

UINT8 = InputSpec("image", (1, 8, 10, 3), "uint8", "image")
FLOAT = InputSpec("image", (1, 8, 10, 3), "float32", "image", (127.0,), (128.0,))
GRAY = InputSpec("image", (1, 8, 10, 1), "uint8", "image")
TENSOR = InputSpec("numbers", (1, 4), "float32")


def noise(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, shape, np.uint8)


def augmented(spec: InputSpec, sample: Sample, count: int, seed: int) -> list[np.ndarray]:
    return [inputs[spec.name] for inputs in load([spec], sample).augmentations(count, seed)]


@pytest.mark.parametrize(
    ("draws", "box"),
    [
        ((0, 0, 0), (0, 0, 34, 27)),  # just below 0.7 of 50 x 40, at the left and top
        ((0, 65535, 65535), (26, 13, 60, 40)),  # at the right and bottom
        ((65535, 0, 0), (0, 0, 49, 39)),
        ((32768, 32768, 32768), (9, 4, 51, 37)),
    ],
)
def test_crop_box(draws: tuple[int, int, int], box: tuple[int, int, int, int]) -> None:
    assert crop_box((60, 40), (10, 8), draws) == box


@pytest.mark.parametrize("spec", [UINT8, FLOAT, GRAY])
def test_augmentations_have_the_shape_and_dtype_of_the_input(spec: InputSpec) -> None:
    assert augmented(spec, noise(40, 60, 3), 0, 1) == []
    for array in augmented(spec, noise(40, 60, 3), 2, 1):
        assert array.shape == spec.shape
        assert array.dtype == spec.dtype


def test_an_augmentation_follows_the_arithmetic() -> None:
    pixels = noise(40, 60, 3)
    numbers = RandomNumbers(7)
    for number, array in enumerate(augmented(UINT8, pixels, 2, 7), 1):
        a, b, c, d = (numbers.draw(4) >> 16).tolist()
        left, top, right, bottom = crop_box((60, 40), (10, 8), (a, b, c))
        crop = PIL.Image.fromarray(pixels[top:bottom, left:right])
        small = np.asarray(crop.resize((10, 8), PIL.Image.Resampling.BILINEAR)).astype(int)
        bright = np.minimum(255, (small * (179 + d * 155 // 65536) + 128) // 256)
        expected = bright[:, ::-1] if number == 1 else bright
        np.testing.assert_array_equal(array[0], expected)


def test_the_seed_decides() -> None:
    pixels = noise(40, 60, 3)
    one, same, other = (augmented(UINT8, pixels, 3, seed) for seed in (1, 1, 2))
    longer = augmented(UINT8, pixels, 5, 1)
    for index in range(3):
        np.testing.assert_array_equal(one[index], same[index])
        np.testing.assert_array_equal(one[index], longer[index])
        assert (one[index] != other[index]).any()


def test_every_form_of_an_image_has_the_same_augmentations(tmp_path: Path) -> None:
    pixels = noise(40, 60, 3)
    path = tmp_path / "photo.png"
    PIL.Image.fromarray(pixels).save(path)
    expected = augmented(UINT8, pixels, 2, 3)
    with PIL.Image.open(path) as image:
        for value in (path, str(path), path.read_bytes(), image, {"image": path}):
            np.testing.assert_array_equal(augmented(UINT8, value, 2, 3), expected)


def test_pixels_of_the_shape_of_the_input() -> None:
    pixels = noise(1, 8, 10, 3)
    np.testing.assert_array_equal(load([UINT8], pixels).inputs()["image"], pixels)
    assert (augmented(UINT8, pixels, 1, 3)[0] != pixels).any()


@pytest.mark.parametrize("size", [(1, 1), (1, 500), (500, 1), (2, 3)])
def test_tiny_images(size: tuple[int, int]) -> None:
    assert len(augmented(UINT8, noise(*size, 3), 8, 1)) == 8


def test_both_images_of_a_sample_are_augmented_in_the_same_way() -> None:
    pixels = noise(40, 60, 3)
    specs = [UINT8, InputSpec("second", UINT8.shape, "uint8", "image")]
    sample = load(specs, {"image": pixels, "second": pixels})
    for inputs in sample.augmentations(3, 1):
        np.testing.assert_array_equal(inputs["image"], inputs["second"])


@pytest.mark.parametrize(
    ("spec", "sample", "count", "message"),
    [
        (TENSOR, np.zeros((1, 4), np.float32), 1, "'numbers' of the model is a tensor"),
        (FLOAT, np.zeros((1, 8, 10, 3), np.float32), 1, "array of the input; got float32"),
        (UINT8, noise(40, 60, 3), -1, "at least 0, got -1"),
    ],
)  # fmt: skip
def test_some_samples_cannot_be_augmented(
    spec: InputSpec, sample: np.ndarray, count: int, message: str
) -> None:
    with pytest.raises(DataError, match=message):
        augmented(spec, sample, count, 1)


def test_a_tensor_without_augmentations() -> None:
    sample = load([TENSOR], np.ones((1, 4), np.float32))
    assert sample.augmentations(0, 1) == []
    assert sample.inputs()["numbers"].tolist() == [[1, 1, 1, 1]]
