"""Images become the same pixels in every language."""

from __future__ import annotations

import contextlib
import io
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sartor.errors import DataError
from sartor.modalities import image_pixels
from sartor.modalities.image.pixels import center_box

SIDES = st.integers(1, 5000)


def noise(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, shape, np.uint8)


@given(SIDES, SIDES, SIDES, SIDES)
def test_the_box_is_centered_and_as_large_as_possible(w: int, h: int, to_w: int, to_h: int) -> None:
    left, top, right, bottom = center_box(w, h, to_w, to_h)
    assert 0 <= left < right <= w
    assert 0 <= top < bottom <= h
    assert (left, right) == (0, w) or (top, bottom) == (0, h)
    assert 0 <= (w - right) - left <= 1
    assert 0 <= (h - bottom) - top <= 1
    exact = min(w, h * to_w / to_h), min(h, w * to_h / to_w)
    assert abs(right - left - max(1, exact[0])) <= 0.5
    assert abs(bottom - top - max(1, exact[1])) <= 0.5


@pytest.mark.parametrize(
    ("size", "to", "box"),
    [
        ((6, 4), (2, 2), (1, 0, 5, 4)),
        ((4, 7), (2, 2), (0, 1, 4, 5)),
        ((7, 4), (2, 2), (1, 0, 5, 4)),
        ((10, 10), (2, 1), (0, 2, 10, 7)),
        ((3, 5), (2, 1), (0, 1, 3, 3)),  # 1.5 rows are 2
        ((1, 1000), (1000, 1), (0, 499, 1, 500)),
    ],
)
def test_center_box(
    size: tuple[int, int], to: tuple[int, int], box: tuple[int, int, int, int]
) -> None:
    assert center_box(*size, *to) == box


def test_an_image_of_the_size_of_the_input_does_not_change() -> None:
    pixels = noise(8, 10, 3)
    np.testing.assert_array_equal(image_pixels(pixels, (8, 10)), pixels)


@pytest.mark.parametrize("size", [(20, 30), (7, 5), (100, 9), (3, 3)])
def test_resizing_uses_a_triangle_filter(size: tuple[int, int]) -> None:
    """Compare with the definition in float64, to one level."""
    pixels = noise(*size, 3)
    left, top, right, bottom = center_box(size[1], size[0], 6, 8)
    actual = image_pixels(pixels, (8, 6)).astype(float)
    rows = triangle(bottom - top, 8)
    columns = triangle(right - left, 6)
    expected = np.einsum("ab,cd,bde->ace", rows, columns, pixels[top:bottom, left:right])
    assert np.abs(actual - expected).max() <= 1


def triangle(size: int, to: int) -> np.ndarray:
    """Return [to, size]: the weight of each pixel in each output pixel."""
    ratio = size / to
    support = max(ratio, 1)
    centers = (np.arange(to) + 0.5) * ratio
    distance = np.abs(np.arange(size) + 0.5 - centers[:, np.newaxis]) / support
    weights = np.maximum(1 - distance, 0)
    normalized: np.ndarray = weights / weights.sum(1, keepdims=True)
    return normalized


def test_pillow_gives_the_same_pixels() -> None:
    pixels = noise(50, 90, 3)
    crop = PIL.Image.fromarray(pixels).crop((20, 0, 70, 50))
    expected = crop.resize((16, 16), PIL.Image.Resampling.BILINEAR)
    np.testing.assert_array_equal(image_pixels(pixels, (16, 16)), np.asarray(expected))


def test_every_form_of_an_image_gives_the_same_pixels(tmp_path: Path) -> None:
    pixels = noise(30, 40, 3)
    path = tmp_path / "photo.png"
    PIL.Image.fromarray(pixels).save(path)
    expected = image_pixels(pixels, (8, 8))
    with PIL.Image.open(path) as image:
        np.testing.assert_array_equal(image_pixels(image, (8, 8)), expected)
        image.load()  # it was not closed
    np.testing.assert_array_equal(image_pixels(path, (8, 8)), expected)
    np.testing.assert_array_equal(image_pixels(str(path), (8, 8)), expected)
    np.testing.assert_array_equal(image_pixels(path.read_bytes(), (8, 8)), expected)
    content = path.read_bytes()
    for value in (bytearray(content), memoryview(content), io.BytesIO(content)):
        np.testing.assert_array_equal(image_pixels(value, (8, 8)), expected)
    with path.open("rb") as file:
        np.testing.assert_array_equal(image_pixels(file, (8, 8)), expected)
    opaque = np.concatenate([pixels, np.full((30, 40, 1), 255, np.uint8)], 2)
    for array in (opaque, pixels[np.newaxis], pixels.astype(np.int64), pixels.astype(np.float32),
                  pixels / 255, (pixels / 255).astype(np.float16)):  # fmt: skip
        np.testing.assert_array_equal(image_pixels(array, (8, 8)), expected)


@pytest.mark.parametrize("mode", ["RGBA", "LA", "La", "RGBa", "PA", "P", "array"])
def test_transparent_pixels_are_composited_on_white(mode: str) -> None:
    """A fully transparent pixel is white, a half transparent black one is gray."""
    rgba = np.zeros((2, 2, 4), np.uint8)
    rgba[0, 0, 3], rgba[0, 1, 3], rgba[1, :, 3] = 0, 128, 255
    image: Any = PIL.Image.fromarray(rgba)
    if mode == "array":
        image = rgba
    elif mode == "P":  # a palette with one transparent color, as in a GIF
        indices = np.array([[0, 1], [1, 1]], np.uint8)
        image = PIL.Image.fromarray(indices, "P")
        image.putpalette([0] * 6)
        image.info["transparency"] = 0
    else:
        for step in {"La": ["LA", "La"], "PA": ["PA"]}.get(mode, [mode]):
            image = image.convert(step)
    pixels = image_pixels(image, (2, 2))
    assert pixels[0, 0].tolist() == [255] * 3
    assert pixels[1].max() == 0
    if mode not in ("P", "PA"):
        assert 126 <= pixels[0, 1, 0] <= 128
    assert image_pixels(image, (2, 2), 1)[0, 0, 0] == 255


def test_a_transparent_gray_png_is_composited_on_white(tmp_path: Path) -> None:
    path = tmp_path / "sticker.png"
    image = PIL.Image.fromarray(np.array([[0, 9]], np.uint8))
    image.save(path, transparency=0)
    assert image_pixels(path, (1, 2), 1).ravel().tolist() == [255, 9]


def test_gray_becomes_rgb_and_back() -> None:
    gray = noise(8, 8)
    rgb = image_pixels(gray, (8, 8))
    assert rgb.shape == (8, 8, 3)
    assert (rgb == gray[:, :, np.newaxis]).all()
    assert (image_pixels(gray[:, :, np.newaxis], (8, 8), 1)[:, :, 0] == gray).all()
    assert (image_pixels(rgb, (8, 8), 1)[:, :, 0] == gray).all()


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGBA", "CMYK", "YCbCr", "HSV"])
def test_images_of_every_mode(mode: str) -> None:
    image = PIL.Image.fromarray(noise(12, 12, 3)).convert(mode)
    assert image_pixels(image, (8, 8)).shape == (8, 8, 3)


def test_16_bits_are_scaled_and_not_clipped(tmp_path: Path) -> None:
    values = np.array([[0, 255], [256, 65535]], np.uint16)
    PIL.Image.fromarray(values).save(tmp_path / "deep.png")
    assert image_pixels(tmp_path / "deep.png", (2, 2), 1)[:, :, 0].tolist() == [[0, 0], [1, 255]]


def test_an_image_is_rotated_by_its_exif_orientation(tmp_path: Path) -> None:
    pixels = np.zeros((20, 30, 3), np.uint8)
    pixels[:, 15:] = 255
    exif = PIL.Image.Exif()
    exif[0x0112] = 6  # the camera was rotated by 90°
    path = tmp_path / "rotated.png"
    PIL.Image.fromarray(pixels).save(path, exif=exif)
    actual = image_pixels(path, (30, 20))
    np.testing.assert_array_equal(actual, np.rot90(pixels, -1))


def unreadable(folder: Path) -> dict[str, tuple[bytes, str]]:
    stream = io.BytesIO()
    PIL.Image.fromarray(noise(40, 40, 3)).save(stream, "jpeg")
    jpeg = stream.getvalue()
    stream = io.BytesIO()
    PIL.Image.fromarray(noise(40, 40, 3)).save(stream, "png")
    png = stream.getvalue()
    return {
        "empty.jpg": (b"", "not an image"),
        "text.jpg": (b"hello", "not an image"),
        "truncated.jpg": (jpeg[: len(jpeg) // 2], "cannot be read"),
        "truncated.png": (png[: len(png) // 2], "cannot be read"),
        "head.png": (png[:20], "damaged|not an image|cannot be read"),
        "noise.jpg": (jpeg[:20] + noise(3000).tobytes(), "damaged|not an image|cannot be read"),
    }


@pytest.mark.parametrize("name", list(unreadable(Path())))
def test_the_message_names_an_unreadable_file(tmp_path: Path, name: str) -> None:
    content, message = unreadable(tmp_path)[name]
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(DataError, match=message) as caught:
        image_pixels(path, (8, 8))
    assert str(path) in str(caught.value)


def test_a_missing_file_and_a_folder(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        image_pixels(tmp_path / "nothing.jpg", (8, 8))
    with pytest.raises(OSError, match=r"directory|denied"):
        image_pixels(tmp_path, (8, 8))


def test_a_decompression_bomb_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "bomb.png"
    PIL.Image.new("1", (400, 400)).save(path)
    for limit, message in ((100_000, "400 x 400 pixels, expected at most"), (1000, "bomb")):
        monkeypatch.setattr(PIL.Image, "MAX_IMAGE_PIXELS", limit)
        with (
            pytest.warns(PIL.Image.DecompressionBombWarning)
            if limit > 80_000
            else contextlib.nullcontext(),
            pytest.raises(DataError, match=message),
        ):
            image_pixels(path, (8, 8))


@pytest.mark.parametrize(
    ("array", "message"),
    [
        (np.zeros((8, 8, 2), np.uint8), r"got uint8 \[8, 8, 2\]"),
        (np.zeros((2, 8, 8, 3), np.uint8), r"got uint8 \[2, 8, 8, 3\]"),
        (np.zeros((3, 8, 9), np.uint8), r"transpose\(1, 2, 0\)"),
        (np.zeros((0, 8, 3), np.uint8), "got uint8"),
        (np.zeros((), np.uint8), "got uint8"),
        (np.zeros((8, 8), bool), "got bool"),
        (np.zeros((8, 8), complex), "got complex128"),
        (np.full((8, 8), 256), "int64 from 256 to 256, expected 0…255"),
        (np.full((8, 8), -1.0), "from -1 to -1"),
        (np.array([[0, 1.02]]), "from 0 to 1.02"),  # fractions that a filter made too large
        (np.full((8, 8), np.nan), "from nan to nan"),
    ],
)
def test_other_arrays_are_refused(array: np.ndarray, message: str) -> None:
    with pytest.raises(DataError, match=message):
        image_pixels(array, (8, 8))


def test_other_values_are_refused() -> None:
    with pytest.raises(DataError, match="mode 'rb'"):
        image_pixels(io.StringIO("text"), (8, 8))  # type: ignore[arg-type]
    with pytest.raises(DataError, match="got list"):
        image_pixels([1, 2], (8, 8))  # type: ignore[arg-type]


def test_modes_without_a_range_are_refused() -> None:
    with pytest.raises(DataError, match="mode is F"):
        image_pixels(PIL.Image.new("F", (8, 8)), (8, 8))
    with pytest.raises(DataError, match="takes 2"):
        image_pixels(noise(8, 8), (8, 8), 2)
