"""Views of a picture: the first is plain, the rest follow the arithmetic that is written down."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import PIL.Image
import pytest

from sartor.contract.manifest import InputSpec
from sartor.errors import DataError
from sartor.modalities import prepare
from sartor.modalities.augment import _box, _numbers, views

PLAIN = InputSpec("image", (1, 8, 10, 3), "uint8", "image")
FLOAT = InputSpec("image", (1, 8, 10, 3), "float32", "image", (127.0,), (128.0,))
GREY = InputSpec("image", (1, 8, 10, 1), "uint8", "image")
TENSOR = InputSpec("numbers", (1, 4), "float32")


def noise(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, shape, np.uint8)


def test_the_numbers_are_the_same_everywhere() -> None:
    """What a port to another language has to give."""
    first = [next(numbers) for numbers in [_numbers(1)] for _ in range(4)]
    assert first == [38560, 4796, 38686, 31149]
    assert next(_numbers(1 + (1 << 32))) == first[0]
    assert next(_numbers(-1)) == next(_numbers(0xFFFFFFFF))


def test_the_numbers_are_spread_evenly() -> None:
    numbers = _numbers(5)
    found = np.array([next(numbers) for _ in range(4000)]) / 65536
    assert abs(found.mean() - 0.5) < 0.02
    assert (np.histogram(found, 10, (0, 1))[0] > 330).all()
    starts = [next(_numbers(seed)) for seed in range(200)]
    assert len(set(starts)) > 195


@pytest.mark.parametrize(
    ("drawn", "box"),
    [
        ((0, 0, 0), (0, 0, 34, 27)),  # just below 0.7 of 50 x 40, at the left and top
        ((0, 65535, 65535), (26, 13, 60, 40)),  # and at the right and bottom
        ((65535, 0, 0), (0, 0, 49, 39)),
        ((32768, 32768, 32768), (9, 4, 51, 37)),
    ],
)
def test_where_a_view_is_cut(drawn: tuple[int, int, int], box: tuple[int, int, int, int]) -> None:
    assert _box(60, 40, (10, 8), *drawn) == box


def test_the_first_view_is_the_plain_one() -> None:
    pixels = noise(40, 60, 3)
    for spec in (PLAIN, FLOAT, GREY):
        for count in (0, 2):
            made = views([spec], pixels, count, 1)
            assert len(made) == count + 1
            np.testing.assert_array_equal(made[0]["image"], prepare([spec], pixels)["image"])
            assert all(view["image"].shape == spec.shape for view in made)
            assert all(view["image"].dtype == spec.dtype for view in made)


def test_a_view_follows_the_arithmetic() -> None:
    pixels = noise(40, 60, 3)
    made = views([PLAIN], pixels, 2, 7)
    numbers = _numbers(7)
    for number in (1, 2):
        a, b, c, d = (next(numbers) for _ in range(4))
        left, top, right, bottom = _box(60, 40, (10, 8), a, b, c)
        cut = PIL.Image.fromarray(pixels[top:bottom, left:right])
        small = np.asarray(cut.resize((10, 8), PIL.Image.Resampling.BILINEAR)).astype(int)
        lit = np.minimum(255, (small * (179 + d * 155 // 65536) + 128) // 256)
        wanted = lit[:, ::-1] if number == 1 else lit
        np.testing.assert_array_equal(made[number]["image"][0], wanted)


def test_what_a_seed_gives() -> None:
    pixels = noise(40, 60, 3)
    one, same, other = (views([PLAIN], pixels, 3, seed) for seed in (1, 1, 2))
    more = views([PLAIN], pixels, 5, 1)
    for view in range(1, 4):
        np.testing.assert_array_equal(one[view]["image"], same[view]["image"])
        np.testing.assert_array_equal(one[view]["image"], more[view]["image"])
        assert (one[view]["image"] != other[view]["image"]).any()


def test_paths_pictures_and_pixels_are_the_same(tmp_path: Path) -> None:
    pixels = noise(40, 60, 3)
    path = tmp_path / "photo.png"
    PIL.Image.fromarray(pixels).save(path)
    wanted = views([PLAIN], pixels, 2, 3)
    with PIL.Image.open(path) as picture:
        for given in (path, str(path), picture, {"image": path}):
            for found, view in zip(views([PLAIN], given, 2, 3), wanted, strict=True):
                np.testing.assert_array_equal(found["image"], view["image"])


def test_pixels_of_the_inputs_own_shape() -> None:
    pixels = noise(1, 8, 10, 3)
    made = views([PLAIN], pixels, 1, 3)
    np.testing.assert_array_equal(made[0]["image"], pixels)
    assert (made[1]["image"] != pixels).any()


@pytest.mark.parametrize("size", [(1, 1), (1, 500), (500, 1), (2, 3)])
def test_tiny_pictures(size: tuple[int, int]) -> None:
    assert len(views([PLAIN], noise(*size, 3), 8, 1)) == 9


def test_pictures_of_two_inputs_are_cut_alike() -> None:
    pixels = noise(40, 60, 3)
    specs = [PLAIN, InputSpec("second", PLAIN.shape, "uint8", "image")]
    for view in views(specs, {"image": pixels, "second": pixels}, 3, 1):
        np.testing.assert_array_equal(view["image"], view["second"])


@pytest.mark.parametrize(
    ("spec", "sample", "count", "message"),
    [
        (TENSOR, np.zeros((1, 4), np.float32), 1, "numbers is no picture"),
        (FLOAT, np.zeros((1, 8, 10, 3), np.float32), 1, "got float32, whose light"),
        (PLAIN, noise(40, 60, 3), -1, "at least 0, got -1"),
        (PLAIN, "text", 0, "No such file"),
    ],
)  # fmt: skip
def test_what_has_no_views(spec: InputSpec, sample: object, count: int, message: str) -> None:
    with pytest.raises((DataError, OSError), match=message):
        views([spec], sample, count, 1)  # type: ignore[arg-type]


def test_a_tensor_has_its_plain_view() -> None:
    made = views([TENSOR], np.ones((1, 4), np.float32), 0, 1)
    assert made[0]["numbers"].tolist() == [[1, 1, 1, 1]]
