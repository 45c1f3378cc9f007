"""Images that take much memory to decode are refused before that."""

from __future__ import annotations

import io
import os
import struct
import zipfile
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image
import pytest

from sartor.errors import DataError
from sartor.modalities import files
from sartor.modalities.image import cost
from sartor.modalities.image.pixels import image_pixels

SIZE = (8, 10)


def png(width: int, height: int, color: int) -> bytes:
    """Return a PNG file of one color whose pixels are missing but for the header."""
    chunks = [(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, color, 0, 0, 0)),
              (b"IDAT", zlib.compress(bytes(100))), (b"IEND", b"")]  # fmt: skip
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in chunks
    )


def encode(size: tuple[int, int], mode: str, file_type: str, **options: Any) -> bytes:
    file = io.BytesIO()
    PIL.Image.new(mode, size, "red").save(file, file_type, **options)
    return file.getvalue()


@pytest.mark.parametrize(
    ("width", "height", "color"),
    [(9400, 9400, 2), (1, 80_000_000, 0), (80_000_000, 1, 0), (7000, 7000, 6)],
)
def test_a_bomb_is_refused(width: int, height: int, color: int) -> None:
    with pytest.raises(DataError, match=r"MB to decode, expected at most 800: make it smaller"):
        image_pixels(png(width, height, color), SIZE)


def test_rotation_may_exchange_the_sides() -> None:
    assert cost._cost(PIL.Image.new("L", (1, 50))) == cost._cost(PIL.Image.new("L", (50, 1)))


def test_a_photo_of_48_megapixels_is_decoded() -> None:
    """The cost is that of the header; decoding such a photo would take seconds."""
    image = PIL.Image.open(io.BytesIO(png(8000, 6000, 2)))
    cost.limit_cost(image, "photo")
    assert image.size == (8000, 6000)


def test_a_large_jpeg_is_decoded_at_half_its_size(monkeypatch: pytest.MonkeyPatch) -> None:
    content = encode((64, 48), "RGB", "JPEG")
    expected = image_pixels(content, SIZE)
    monkeypatch.setattr(cost, "_LARGEST", 3 * (40 * 30 * 4 + 40 * 8))
    assert np.array_equal(image_pixels(content, SIZE), expected)
    with pytest.raises(DataError, match="make it smaller"):
        image_pixels(encode((64, 48), "RGB", "PNG"), SIZE)


def test_a_rare_format_is_refused() -> None:
    with pytest.raises(DataError, match="of the format EPS: use JPEG or PNG"):
        image_pixels(encode((8, 8), "RGB", "EPS"), SIZE)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="the system has no pipes")
def test_a_pipe_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "photo.jpg"
    os.mkfifo(path)
    with pytest.raises(DataError, match="is a pipe or a device"):
        image_pixels(path, SIZE)
    with pytest.raises(DataError, match="must be a path"):
        image_pixels("a\0b.jpg", SIZE)


def test_an_archive_of_arrays_that_unpacks_to_gigabytes_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(files, "_LARGEST_NPZ", 2 << 20)
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for index in range(3):
            archive.writestr(f"{index}.npy", bytes(1 << 20))
    with pytest.raises(ValueError, match="unpacks to 3 MB, expected at most 2"):
        files.parse_npz(file.getvalue())
