"""Augmentation of images: mirrored, cropped elsewhere, brighter or darker.

The augmentations of a photo stand for what the camera would have seen a moment later. Their
features are computed once, when the sample is added. Each augmentation takes the high 16 bits of
four random numbers (`RandomNumbers`): `a`, `b`, `c`, `d`. For a photo of W x H pixels and an input
of w x h, with all divisions rounded down:

1. *crop*: with `width` and `height` of `center_box(W, H, w, h)`,
   `share = 45875 · 65536 + 19661 · a` (from 0.7 to 1, in units of 2⁻³²),
   `width' = max(1, width · share / 2³²)`, `height' = max(1, height · share / 2³²)`,
   `left = b · (W − width' + 1) / 65536`, `top = c · (H − height' + 1) / 65536`;
2. *resize* the whole crop to w x h, with the filter of `image_pixels`;
3. *mirror* left and right in the augmentations 1, 3, 5, …;
4. *brightness*: `gain = 179 + d · 155 / 65536` (from 0.7 to 1.3, in units of 1/256); each value v
   of the resized image, 0…255, becomes `min(255, (v · gain + 128) / 256)`.

All numbers are integers below 2⁵³. So every language computes the same ones, also JavaScript.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np

from .pixels import center_box, resize

if TYPE_CHECKING:
    import PIL.Image

__all__ = ["augmented_pixels", "crop_box"]

_MIN_SHARE = 45875  # 0.7 of 65536
_MIN_GAIN, _GAINS = 179, 155  # 0.7 of 256, and the number of gains up to 1.3


def augmented_pixels(
    photo: PIL.Image.Image, size: tuple[int, int], number: int, draws: Iterator[int]
) -> np.ndarray:
    """Return one augmentation of a photo: uint8 [height, width, channels].

    Args:
        photo: decoded photo, in RGB or gray.
        size: height and width of the result.
        number: number of the augmentation, from 1. Odd ones are mirrored.
        draws: four random numbers 0…65535.
    """
    a, b, c, d = (next(draws) for _ in range(4))
    box = crop_box(photo.size, (size[1], size[0]), (a, b, c))
    pixels = resize(photo.crop(box), size)
    if number % 2:
        pixels = pixels[:, ::-1]
    gain = _MIN_GAIN + (d * _GAINS >> 16)
    levels = np.minimum(255, np.arange(256) * gain + 128 >> 8).astype(np.uint8)
    return np.ascontiguousarray(levels[pixels])


def crop_box(
    size: tuple[int, int], to: tuple[int, int], draws: Sequence[int]
) -> tuple[int, int, int, int]:
    """Return left, top, right and bottom of the crop.

    Args:
        size: width and height of the photo.
        to: width and height of the input.
        draws: random numbers 0…65535 for the size, the column and the row.
    """
    a, b, c = draws
    left, top, right, bottom = center_box(*size, *to)
    share = (_MIN_SHARE << 16) + (65536 - _MIN_SHARE) * a
    width = max(1, (right - left) * share >> 32)
    height = max(1, (bottom - top) * share >> 32)
    left = b * (size[0] - width + 1) >> 16
    top = c * (size[1] - height + 1) >> 16
    return left, top, left + width, top + height
