"""Several views of one picture: mirrored, cut elsewhere, in other light.

A sample's views stand for what the camera would have seen a moment later, and their features are
computed once, at capture. View 0 is the picture as `prepare` gives it. Each further view takes
four numbers of 16 bits from one stream (`_numbers`), in this order: `a`, `b`, `c`, `d`. For a
picture of W x H pixels, an input of w x h, and all divisions rounded down:

1. *cut*: with `width` and `height` those of `centre_box(W, H, w, h)`,
   `share = 45875 · 65536 + 19661 · a` (from 0.7 to 1, in units of 2⁻³²),
   `width' = max(1, width · share / 2³²)`, `height' = max(1, height · share / 2³²)`,
   `left = b · (W − width' + 1) / 65536`, `top = c · (H − height' + 1) / 65536`;
2. *resize* this box, all of it, to w x h, with the filter of `image_pixels`;
3. *mirror* left and right in the views 1, 3, 5, …;
4. *light*: `gain = 179 + d · 155 / 65536` (from 0.7 to 1.3, in units of 1/256), and each value v
   of the resized picture, 0…255, becomes `min(255, (v · gain + 128) / 256)`.

All numbers are integers below 2⁵³, so every language gets the same ones, JavaScript too.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ..contract.manifest import InputSpec
from ..errors import DataError
from .image import centre_box, is_image, resized, whole_picture
from .inputs import Sample, prepare

if TYPE_CHECKING:
    import PIL.Image

__all__ = ["views"]

_BITS = 0xFFFFFFFF
_LEAST_SHARE = 45875  # 0.7 of 65536
_LEAST_GAIN, _GAINS = 179, 155  # 0.7 of 256, and how many there are up to 1.3


def views(
    specs: Sequence[InputSpec], image: Sample, count: int, seed: int
) -> list[dict[str, np.ndarray]]:
    """Make the base's inputs of one sample several times, each time a little otherwise.

    Args:
        specs: the inputs, as the manifest describes them; all of kind `image`, if `count` is not 0.
        image: a path, a PIL image or uint8 pixels; for a base with several inputs a mapping from
            their names, and all its pictures are cut, mirrored and lit alike.
        count: how many views beside the plain one; at least 0.
        seed: of the stream; only its lowest 32 bits count. Give each picture of its own, or all
            pictures are cut at the same places.

    Returns:
        `count + 1` of what `prepare` gives; the first is the plain one.

    Raises:
        DataError: the sample is not what the model takes, or views cannot be made of it.
        OSError: a file is not there, or may not be read.
    """
    if count < 0:
        raise DataError(f"the count of views must be at least 0, got {count}")
    plain = prepare(specs, image)
    if not count:
        return [plain]
    given = image if isinstance(image, Mapping) else {specs[0].name: image}
    pictures = {spec.name: _picture(spec, given[spec.name]) for spec in specs}
    numbers = _numbers(seed)
    made = [plain]
    for number in range(1, count + 1):
        drawn = [next(numbers) for _ in range(4)]
        pixels = {s.name: _view(s, pictures[s.name], number, *drawn) for s in specs}
        made.append(prepare(specs, pixels))
    return made


def _picture(spec: InputSpec, value: Any) -> PIL.Image.Image:
    """The whole picture that views are cut from."""
    if spec.modality != "image":
        raise DataError(
            f"views are made of pictures, and the model's input {spec.name} is no picture: "
            "add its samples without views"
        )
    if isinstance(value, np.ndarray) and value.shape == spec.shape:
        value = value[0]  # uint8 pixels that fit as they are
    if not is_image(value) and getattr(value, "dtype", None) != np.uint8:
        raise DataError(
            f"{spec.name}: views are made of a path, a PIL image or uint8 pixels; "
            f"got {getattr(value, 'dtype', type(value).__name__)}, whose light cannot be changed"
        )
    return whole_picture(value, spec.shape[3])


def _view(
    spec: InputSpec, picture: PIL.Image.Image, number: int, a: int, b: int, c: int, d: int
) -> np.ndarray:
    """uint8 [height, width, channels]: one view, as the module says."""
    height, width = spec.shape[1:3]
    box = _box(picture.width, picture.height, (width, height), a, b, c)
    pixels = resized(picture.crop(box), (height, width))
    if number % 2:
        pixels = pixels[:, ::-1]
    gain = _LEAST_GAIN + (d * _GAINS >> 16)
    lit = np.minimum(255, np.arange(256) * gain + 128 >> 8).astype(np.uint8)
    return np.ascontiguousarray(lit[pixels])


def _box(
    width: int, height: int, to: tuple[int, int], a: int, b: int, c: int
) -> tuple[int, int, int, int]:
    """Left, top, right and bottom of what a view shows."""
    left, top, right, bottom = centre_box(width, height, *to)
    share = (_LEAST_SHARE << 16) + (65536 - _LEAST_SHARE) * a
    cut_width = max(1, (right - left) * share >> 32)
    cut_height = max(1, (bottom - top) * share >> 32)
    left = b * (width - cut_width + 1) >> 16
    top = c * (height - cut_height + 1) >> 16
    return left, top, left + cut_width, top + cut_height


def _numbers(seed: int) -> Iterator[int]:
    """Numbers 0…65535, the same in every language: SplitMix with 32 bits.

    All modulo 2³²: `state ← state + 0x9E3779B9`, from the seed on; `z = state`,
    `z ← (z ⊕ z/2¹⁶) · 0x85EBCA6B`, `z ← (z ⊕ z/2¹³) · 0xC2B2AE35`, `z ← z ⊕ z/2¹⁶` (MurmurHash3's
    finalizer); the number is `z/2¹⁶`.
    """
    state = seed & _BITS
    while True:
        state = (state + 0x9E3779B9) & _BITS
        z = ((state ^ (state >> 16)) * 0x85EBCA6B) & _BITS
        z = ((z ^ (z >> 13)) * 0xC2B2AE35) & _BITS
        yield (z ^ (z >> 16)) >> 16
