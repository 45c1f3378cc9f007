"""Checks of an image before it is decoded: its format, and the memory that decoding takes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...errors import DataError

if TYPE_CHECKING:
    import PIL.Image

__all__ = ["check_format", "limit_cost"]

# Other decoders of Pillow run programs (EPS), or are little tested.
_FORMATS = {"AVIF", "BMP", "GIF", "HEIF", "ICO", "JPEG", "JPEG2000", "MPO", "PNG", "PPM", "TIFF",
            "WEBP"}  # fmt: skip
_LARGEST = 800 << 20  # bytes: 69 megapixels, or 41 with transparency
_PIXEL, _ROW = 4, 8  # bytes of an RGB pixel, and of the pointer to a row
_COPIES = 3  # decoded, converted, cropped
_TRANSPARENT_COPIES = 5  # also two on the white background
_DECODER_COPIES = {"WEBP": 2}
_HALVED = ("JPEG", "MPO")  # formats that decode at half the size


def check_format(image: PIL.Image.Image, name: str) -> None:
    """Raise DataError if an image that is opened, and not decoded yet, has a rare format."""
    if image.format not in _FORMATS:
        raise DataError(f"{name} is of the format {image.format}: use JPEG or PNG")


def limit_cost(image: PIL.Image.Image, name: str) -> None:
    """Check that an image can be decoded in bounded memory; halve a JPEG that is too large.

    Args:
        image: opened image, not decoded yet.
        name: name of the image, for messages.

    Raises:
        DataError: If its size or its cost is too large.
    """
    import PIL.Image

    limit = PIL.Image.MAX_IMAGE_PIXELS
    if limit is not None and image.width * image.height > limit:
        raise DataError(
            f"{name} has {image.width} x {image.height} pixels, expected at most {limit:,}: "
            "make it smaller"
        )
    if _cost(image) > _LARGEST and image.format in _HALVED:
        image.draft(None, (image.width // 2, image.height // 2))
    cost = _cost(image)
    if cost > _LARGEST:
        raise DataError(
            f"{name} has {image.width} x {image.height} pixels in mode {image.mode} and takes "
            f"{cost >> 20:,} MB to decode, expected at most {_LARGEST >> 20:,}: make it smaller"
        )


def _cost(image: PIL.Image.Image) -> int:
    """Return the bytes that all copies take; the image may be rotated."""
    is_opaque = "a" not in image.mode.lower()[1:] and "transparency" not in image.info
    copies = _COPIES if is_opaque else _TRANSPARENT_COPIES
    copies += _DECODER_COPIES.get(image.format or "", 0)
    rows = max(image.width, image.height)
    return copies * (image.width * image.height * _PIXEL + rows * _ROW)
