"""The forms in which users give an image: files, bytes and arrays."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, BinaryIO, TypeAlias

import numpy as np

from ...errors import DataError

if TYPE_CHECKING:
    import PIL.Image

__all__ = ["Image", "is_image", "pixels_of_array"]

Image: TypeAlias = (
    "str | os.PathLike[str] | bytes | bytearray | memoryview | BinaryIO | PIL.Image.Image"
    " | np.ndarray"
)
"""A path, the bytes of an image file, a binary file object, a PIL image, or an array of pixels."""


def is_image(value: object) -> bool:
    """Return whether a value is a file, bytes or a PIL image. This does not import Pillow."""
    is_file = callable(getattr(value, "read", None))
    pil = sys.modules.get("PIL.Image")
    is_pil = pil is not None and isinstance(value, pil.Image)
    return (
        isinstance(value, str | os.PathLike | bytes | bytearray | memoryview) or is_file or is_pil
    )


def pixels_of_array(array: np.ndarray) -> np.ndarray:
    """Return an array of pixels as uint8 [H, W], [H, W, 3] or [H, W, 4].

    Args:
        array: [H, W] or [H, W, 1, 3 or 4], optionally with a batch of 1 before it. Integers are
            levels 0…255. Floats are fractions 0…1 if none is above 1, and levels 0…255 if the
            largest is at least 2.

    Raises:
        DataError: If the shape or the dtype is another one, or a value is outside of both ranges.
    """
    array = array[0] if array.ndim == 4 and array.shape[0] == 1 else array
    is_gray = array.ndim == 2
    if not array.size or not (is_gray or (array.ndim == 3 and array.shape[2] in (1, 3, 4))):
        raise _unexpected(array)
    levels = array if array.dtype == np.uint8 else _levels(array)
    return np.ascontiguousarray(levels[:, :, 0] if levels.shape[2:] == (1,) else levels)


def _levels(array: np.ndarray) -> np.ndarray:
    """Return numbers as uint8 levels."""
    is_float = np.issubdtype(array.dtype, np.floating)
    if not is_float and not np.issubdtype(array.dtype, np.integer):
        raise _unexpected(array)
    least, largest = float(array.min()), float(array.max())
    if least >= 0 and largest <= 255 and (largest <= 1 or largest >= 2 or not is_float):
        factor = 255 if is_float and largest <= 1 else 1
        levels: np.ndarray = np.rint(array * factor).astype(np.uint8)
        return levels
    raise DataError(
        f"the pixels are {array.dtype} from {least:g} to {largest:g}, expected 0…255, or floats "
        "0…1: scale them. An array that is normalized already needs the shape of the input, "
        "with its batch of 1"
    )


def _unexpected(array: np.ndarray) -> DataError:
    got = f"got {array.dtype} {list(array.shape)}"
    if array.ndim == 3 and array.shape[0] in (1, 3, 4):
        got += "; channels come last: transpose it with .transpose(1, 2, 0)"
    return DataError(f"pixels are an array [height, width], or [height, width, 1, 3 or 4]; {got}")
