"""What a user gives as one sample, as the inputs of the base."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np

from ..contract.manifest import InputSpec
from ..errors import DataError
from .image import Image, image_pixels, is_image

__all__ = ["Sample", "prepare"]

Sample: TypeAlias = "Image | Mapping[str, Image]"
"""A picture or an array; for a base with several inputs, one for each by name."""


def prepare(specs: Sequence[InputSpec], sample: Sample) -> dict[str, np.ndarray]:
    """Make the base's inputs of one sample.

    Args:
        specs: the inputs, as the manifest describes them.
        sample: for an `image` input a path, a PIL image or uint8 pixels; for any input an array
            of exactly its shape, which is fed as it is. Floats may be of any width. A base with
            several inputs takes a mapping from their names.

    Returns:
        Name → array, of the types and shapes of `specs`.

    Raises:
        DataError: the sample is not what the model takes; the message says what is.
        OSError: a file is not there, or may not be read.
    """
    given = sample if isinstance(sample, Mapping) else {specs[0].name: sample}
    names = [spec.name for spec in specs]
    if set(given) != set(names):
        got = ", ".join(map(str, given)) if isinstance(sample, Mapping) else "one without a name"
        raise DataError(
            f"the model's inputs are {', '.join(names)}; got {got}. Give a mapping: name → array"
        )
    return {spec.name: _prepared(spec, given[spec.name]) for spec in specs}


def _prepared(spec: InputSpec, value: Any) -> np.ndarray:
    if spec.modality == "image" and _is_picture(spec, value):
        return _normalized(spec, image_pixels(value, (spec.shape[1], spec.shape[2]), spec.shape[3]))
    if not isinstance(value, np.ndarray):
        raise DataError(f"{_expected(spec)}; got {type(value).__name__}")
    if value.shape != spec.shape or not _fits(value, spec.dtype):
        raise DataError(f"{_expected(spec)}; got {value.dtype} {list(value.shape)}")
    with np.errstate(over="ignore"):  # what is too large for float32 is not finite then
        array = np.ascontiguousarray(value, spec.dtype)
    if not np.isfinite(array).all():
        raise DataError(f"{spec.name} has values that are not finite (NaN or infinite)")
    return array


def _is_picture(spec: InputSpec, value: Any) -> bool:
    """Whether it is to be cut and scaled; an array of the input's own shape is not."""
    if isinstance(value, np.ndarray):
        return bool(value.dtype == np.uint8) and value.shape != spec.shape
    return is_image(value)


def _normalized(spec: InputSpec, pixels: np.ndarray) -> np.ndarray:
    """[1, H, W, C] of pixels: as they are, or `(pixel − mean) / std`."""
    if spec.dtype != "float32":
        return pixels[np.newaxis].astype(spec.dtype)
    mean, std = np.array(spec.mean, np.float32), np.array(spec.std, np.float32)
    scaled: np.ndarray = (pixels[np.newaxis].astype(np.float32) - mean) / std
    return scaled


def _fits(array: np.ndarray, dtype: str) -> bool:
    """Whether the values can be fed as `dtype` and stay what they are."""
    if dtype == "float32":
        return bool(np.issubdtype(array.dtype, np.floating))
    if not np.issubdtype(array.dtype, np.integer):
        return False
    limits = np.iinfo(dtype)
    return not array.size or bool(limits.min <= array.min() and array.max() <= limits.max)


def _expected(spec: InputSpec) -> str:
    array = f"{spec.dtype} {list(spec.shape)}"
    if spec.modality == "image":
        return f"{spec.name} takes a path, a PIL image, uint8 pixels [height, width, 3], or {array}"
    return f"{spec.name} takes an array, {array}"
