"""Image pixels: decoding, cropping and resizing.

Every language follows the same steps, and its pixels differ by at most one level of 255:

1. rotate the image by its EXIF orientation;
2. composite transparent pixels on white, and convert it to RGB, or to gray for a base with one
   channel;
3. crop the center to the aspect ratio of the input (`center_box`, in whole pixels);
4. resize with a triangle filter whose support grows with the ratio (Pillow's `BILINEAR`).
"""

from __future__ import annotations

import io
import os
from typing import TYPE_CHECKING

import numpy as np

from ...errors import DataError
from ..files import read_bytes
from .cost import check_format, limit_cost
from .values import Image, pixels_of_array

if TYPE_CHECKING:
    import PIL.Image

__all__ = [
    "center_box",
    "center_pixels",
    "decode",
    "image_pixels",
    "resize",
]

_MODES = {1: "L", 3: "RGB"}
_SIXTEEN_BITS = ("I;16", "I;16L", "I;16B", "I;16N")
_PLAIN = ("1", "L", "LA", "La", "P", "PA", "RGB", "RGBA", "RGBa", "RGBX", "CMYK", "YCbCr", "LAB",
          "HSV", *_SIXTEEN_BITS)  # fmt: skip


def image_pixels(image: Image, size: tuple[int, int], channels: int = 3) -> np.ndarray:
    """Crop and resize an image to the size that a base takes.

    Args:
        image: path, bytes of an image file, binary file object, PIL image, or an array of pixels
            (see `pixels_of_array`).
        size: height and width, above 0.
        channels: 3 for RGB, 1 for gray. Default: 3.

    Returns:
        uint8 [height, width, channels].

    Raises:
        DataError: If it is not an image or cannot be decoded; the message names the file.
        OSError: If the file does not exist or cannot be read.
    """
    return center_pixels(decode(image, channels), size)


def center_pixels(image: PIL.Image.Image, size: tuple[int, int]) -> np.ndarray:
    """Crop the center of a decoded image and resize it: uint8 [height, width, channels]."""
    box = center_box(image.width, image.height, size[1], size[0])
    return resize(image if box == (0, 0, *image.size) else image.crop(box), size)


def decode(image: Image, channels: int = 3, *, name: str = "") -> PIL.Image.Image:
    """Decode an image, rotate it by its EXIF orientation, and convert it to RGB or gray.

    Args:
        image: see `image_pixels`.
        channels: 3 for RGB, 1 for gray. Default: 3.
        name: file name for messages. Default: the path, if `image` is a path.

    Returns:
        A copy; a given PIL image does not change.

    Raises:
        DataError, OSError: See `image_pixels`.
    """
    if channels not in _MODES:
        raise DataError(
            f"an image has 1 or 3 channels, but the model takes {channels}: pass an array"
        )
    name = name or (str(image) if isinstance(image, str | os.PathLike) else "")
    opened = _open(image, name or "the image")
    prefix = f"{name}: " if name else ""
    try:
        upright = _rotate(opened, prefix, in_place=opened is not image)
        opaque = _on_white(upright)
        result = opaque if opaque.mode == _MODES[channels] else opaque.convert(_MODES[channels])
    except DataError:
        raise
    except Exception as error:  # decoders of damaged files raise anything
        raise DataError(
            f"{prefix}the image cannot be read: {error or type(error).__name__}. "
            "Open it in a viewer and save it again, or leave it out."
        ) from error
    if opened is not image and opened is not result:
        opened.close()
    return result


def resize(image: PIL.Image.Image, size: tuple[int, int]) -> np.ndarray:
    """Resize a whole image to height and width: uint8 [height, width, channels]."""
    import PIL.Image

    height, width = size
    pixels = np.asarray(image.resize((width, height), PIL.Image.Resampling.BILINEAR))
    return pixels.reshape(height, width, -1)


def center_box(width: int, height: int, to_width: int, to_height: int) -> tuple[int, int, int, int]:
    """Return the largest box of the aspect ratio `to_width : to_height` in the center.

    All sides are whole pixels: the side that is cropped is rounded half up, its start down.

    Returns:
        left, top, right, bottom.
    """
    if width * to_height > height * to_width:
        side = min(width, max(1, (2 * height * to_width + to_height) // (2 * to_height)))
        left = (width - side) // 2
        return left, 0, left + side, height
    side = min(height, max(1, (2 * width * to_height + to_width) // (2 * to_width)))
    top = (height - side) // 2
    return 0, top, width, top + side


def _open(image: Image, name: str) -> PIL.Image.Image:
    """Return the image with its size known; its pixels may not be decoded yet."""
    import PIL.Image

    if isinstance(image, PIL.Image.Image):
        return image
    if isinstance(image, np.ndarray):
        return PIL.Image.fromarray(pixels_of_array(image))
    content = read_bytes(image)
    if content is None:
        raise DataError(
            f"expected a path, bytes, a binary file, a PIL image or an array of pixels; got "
            f"{type(image).__name__}"
        )
    try:
        opened = PIL.Image.open(io.BytesIO(content))
    except PIL.UnidentifiedImageError as error:
        raise DataError(f"{name} is not an image file: use JPEG or PNG") from error
    except OSError:
        raise DataError(f"{name} is damaged: open it in a viewer and save it again") from None
    except Exception as error:  # decoders of damaged files raise anything
        raise DataError(f"{name} cannot be read: {error or type(error).__name__}") from error
    try:
        check_format(opened, name)
        limit_cost(opened, name)
    except DataError:
        opened.close()
        raise
    return opened


def _on_white(image: PIL.Image.Image) -> PIL.Image.Image:
    """Return the image on a white background, as people see it; an opaque one as it is."""
    import PIL.Image

    if "a" not in image.mode.lower()[1:] and "transparency" not in image.info:
        return image
    if image.mode == "La":
        image = image.convert("LA")
    colors = image.convert("RGBA")
    return PIL.Image.alpha_composite(PIL.Image.new("RGBA", colors.size, "white"), colors)


def _rotate(image: PIL.Image.Image, prefix: str, *, in_place: bool) -> PIL.Image.Image:
    """Return the image rotated by its EXIF orientation, in a mode with 8 bits per channel."""
    from PIL import ImageOps

    has_16_bits = image.mode in _SIXTEEN_BITS or (image.mode, image.format) == ("I", "PNG")
    if image.mode not in _PLAIN and not has_16_bits:
        raise DataError(
            f"{prefix}the image's mode is {image.mode}, expected 8 bits per channel, as in RGB: "
            "scale its values to 0…255 first"
        )
    if in_place:
        ImageOps.exif_transpose(image, in_place=True)
    else:
        image = ImageOps.exif_transpose(image)
    if has_16_bits:  # older Pillow opens such a file in mode I
        import PIL.Image

        return PIL.Image.fromarray((np.asarray(image) >> 8).astype(np.uint8))
    return image
