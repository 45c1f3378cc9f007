"""Pictures: from a file, a PIL image or pixels to an input of the base.

The way is the same in every language, so that the numbers are (to one level of 255):

1. turn the picture as its EXIF orientation says;
2. RGB, or grey for a base with one channel; transparency is dropped;
3. cut out the centre in the input's aspect ratio (`centre_box`, in whole pixels);
4. resize with a triangle filter whose support grows with the ratio (Pillow's `BILINEAR`).
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from ..errors import DataError

if TYPE_CHECKING:
    import PIL.Image

__all__ = ["Image", "centre_box", "image_pixels", "is_image", "resized", "whole_picture"]

Image: TypeAlias = "str | os.PathLike[str] | PIL.Image.Image | np.ndarray"
"""A path, a PIL image, or an array of pixels."""

_MODES = {1: "L", 3: "RGB"}
_SIXTEEN_BITS = ("I;16", "I;16L", "I;16B", "I;16N")
_PLAIN = ("1", "L", "LA", "La", "P", "PA", "RGB", "RGBA", "RGBa", "RGBX", "CMYK", "YCbCr", "LAB",
          "HSV", *_SIXTEEN_BITS)  # fmt: skip


def is_image(value: object) -> bool:
    """Whether it is a path or a PIL image; Pillow is not loaded to find out."""
    pil = sys.modules.get("PIL.Image")
    return isinstance(value, str | os.PathLike) or (
        pil is not None and isinstance(value, pil.Image)
    )


def image_pixels(image: Image, size: tuple[int, int], channels: int = 3) -> np.ndarray:
    """Cut and scale a picture to the size that a base takes.

    Args:
        image: a path, a PIL image, or uint8 pixels [H, W], [H, W, 1], [H, W, 3] or [H, W, 4].
        size: height and width, above 0.
        channels: 3 for RGB, 1 for grey.

    Returns:
        uint8 [height, width, channels].

    Raises:
        DataError: it is no picture, or an unreadable one; the message names the file.
        OSError: the file is not there, or may not be read.
    """
    picture = whole_picture(image, channels)
    return resized(picture.crop(centre_box(picture.width, picture.height, size[1], size[0])), size)


def whole_picture(image: Image, channels: int = 3) -> PIL.Image.Image:
    """Decode a picture, turn it as its EXIF orientation says, and bring it to RGB or grey.

    Args:
        image: see `image_pixels`.
        channels: 3 for RGB, 1 for grey.

    Returns:
        A copy; the picture that was given stays as it is.

    Raises:
        DataError, OSError: see `image_pixels`.
    """
    if channels not in _MODES:
        raise DataError(
            f"a picture has 1 or 3 channels, and the model takes {channels}: give an array"
        )
    picture = _opened(image)
    name = f"{image}: " if isinstance(image, str | os.PathLike) else ""
    try:
        upright = _upright(picture, name)
        return upright if upright.mode == _MODES[channels] else upright.convert(_MODES[channels])
    except DataError:
        raise
    except Exception as error:  # decoders of damaged files raise anything
        raise DataError(
            f"{name}the picture cannot be read: {error or type(error).__name__}. "
            "Open it in a viewer, and save it again or leave it out."
        ) from error
    finally:
        if picture is not image:
            picture.close()


def resized(picture: PIL.Image.Image, size: tuple[int, int]) -> np.ndarray:
    """Scale all of a picture to height and width: uint8 [height, width, channels]."""
    import PIL.Image

    height, width = size
    pixels = np.asarray(picture.resize((width, height), PIL.Image.Resampling.BILINEAR))
    return pixels.reshape(height, width, -1)


def centre_box(width: int, height: int, to_width: int, to_height: int) -> tuple[int, int, int, int]:
    """The largest box of the aspect ratio `to_width : to_height` in the middle of a picture.

    In whole pixels: the side that is cut is rounded half up, its start down.

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


def _opened(image: Image) -> PIL.Image.Image:
    """The picture, its size known, its pixels perhaps not yet read."""
    import PIL.Image

    if isinstance(image, PIL.Image.Image):
        return image
    if isinstance(image, np.ndarray):
        return PIL.Image.fromarray(_pixels(image))
    try:
        picture = PIL.Image.open(image)
    except PIL.UnidentifiedImageError as error:
        raise DataError(f"{image} is not a picture that Pillow can read") from error
    except OSError:
        if Path(image).is_file() and os.access(image, os.R_OK):
            raise DataError(f"{image} is damaged") from None
        raise
    except Exception as error:  # decoders of damaged files raise anything
        raise DataError(f"{image} cannot be read: {error or type(error).__name__}") from error
    most = PIL.Image.MAX_IMAGE_PIXELS
    if most is not None and picture.width * picture.height > most:
        picture.close()
        raise DataError(
            f"{image} has {picture.width} x {picture.height} pixels, expected at most {most:,}: "
            "make it smaller first"
        )
    return picture


def _pixels(array: np.ndarray) -> np.ndarray:
    """uint8 pixels [H, W] or [H, W, 3] of an array."""
    fits = array.dtype == np.uint8 and array.size > 0
    if fits and array.ndim == 3 and array.shape[2] in (1, 3, 4):
        return np.ascontiguousarray(array[:, :, 0] if array.shape[2] == 1 else array[:, :, :3])
    if fits and array.ndim == 2:
        return np.ascontiguousarray(array)
    raise DataError(
        "an array of pixels is uint8 [height, width], or [height, width, 1, 3 or 4]; "
        f"got {array.dtype} {list(array.shape)}"
    )


def _upright(picture: PIL.Image.Image, name: str) -> PIL.Image.Image:
    """The picture as its EXIF orientation says, in a mode that has 8 bits a channel."""
    from PIL import ImageOps

    deep = picture.mode in _SIXTEEN_BITS or (picture.mode, picture.format) == ("I", "PNG")
    if picture.mode not in _PLAIN and not deep:
        raise DataError(
            f"{name}the picture's mode is {picture.mode}, expected 8 bits a channel, as RGB: "
            "scale its values to 0…255 first"
        )
    picture = ImageOps.exif_transpose(picture)
    if deep:  # older Pillow opens it with mode I
        import PIL.Image

        return PIL.Image.fromarray((np.asarray(picture) >> 8).astype(np.uint8))
    return picture
