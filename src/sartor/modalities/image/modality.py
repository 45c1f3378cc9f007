"""The modality `image`: from a photo to an input [1, height, width, channels]."""

from __future__ import annotations

import hashlib
import io
import os
from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from ...contract.manifest import InputSpec
from ...contract.names import IMAGE
from ...errors import DataError
from ..files import is_npy, parse_npy, read_bytes
from ..tensor import array_bytes, array_digest, fits, fitting_array
from .augment import augmented_pixels
from .pixels import center_pixels, decode, image_pixels
from .values import is_image, pixels_of_array

if TYPE_CHECKING:
    import PIL.Image

__all__ = ["ImageModality", "LoadedImage"]

_THUMBNAIL = 48  # pixels per side


class ImageModality:
    """Photos and other images, cropped to the aspect ratio of the input and resized."""

    name = IMAGE
    suffixes = frozenset({
        ".avif", ".bmp", ".gif", ".heic", ".heif", ".jpeg", ".jpg", ".npy", ".png", ".ppm", ".tif",
        ".tiff", ".webp",
    })  # fmt: skip
    reads_files = True
    has_normalization = True

    def load(self, spec: InputSpec, value: Any) -> LoadedImage:
        """See `Modality`."""
        return LoadedImage(spec, value, self.expects(spec))

    def expects(self, spec: InputSpec) -> str:
        """See `Modality`."""
        return (
            f"{spec.name} takes a path, bytes, a binary file, a PIL image, pixels [height, width, "
            f"3], or {spec.dtype} {list(spec.shape)}"
        )

    def check(self, spec: InputSpec) -> str | None:
        """See `Modality`."""
        channels = spec.shape[3:]
        lengths = ((1,), channels)
        fits = (len(spec.mean),) in lengths and (len(spec.std),) in lengths
        if channels in ((1,), (3,)) and fits and min(spec.std) > 0:
            return None
        return (
            f"its shape {list(spec.shape)}, mean {list(spec.mean)} and std {list(spec.std)} "
            "do not fit together"
        )

    def is_normalized(self, spec: InputSpec) -> bool:
        """See `Modality`: a float image is `(pixel − mean) / std`, a uint8 image is pixels."""
        return spec.dtype == "float32"

    def value_range(self, spec: InputSpec) -> tuple[float, float] | None:
        """See `Modality`: over all channels."""
        if not self.is_normalized(spec):
            return None
        channels = max(len(spec.mean), len(spec.std))
        mean, std = (_per_channel(values, channels) for values in (spec.mean, spec.std))
        pairs = list(zip(mean, std, strict=True))
        return min(-m / s for m, s in pairs), max((255 - m) / s for m, s in pairs)

    def per_tensor_range(self, spec: InputSpec) -> tuple[float, float] | None:
        """See `Modality`; None if channels differ or no pixel value is 0 in the range."""
        if not self.is_normalized(spec):
            return None
        mean, std = set(spec.mean), set(spec.std)
        if len(mean) != 1 or len(std) != 1 or not 0 <= min(mean) <= 255:
            return None
        return -min(mean) / min(std), (255 - min(mean)) / min(std)

    def compact(self, spec: InputSpec, value: Any) -> np.ndarray:
        """See `Modality`: uint8 pixels [height, width, channels] of the size of the input."""
        is_pixels = isinstance(value, np.ndarray) and value.dtype == np.uint8
        if is_pixels or is_image(value):
            image = value[0] if isinstance(value, np.ndarray) and value.ndim == 4 else value
            return image_pixels(image, (spec.shape[1], spec.shape[2]), spec.shape[3])
        if isinstance(value, np.ndarray) and value.shape == spec.shape[1:]:
            value = value[np.newaxis]
        return _denormalize(spec, self.load(spec, value).array()[0])


class LoadedImage:
    """An image given by the user, or an array of exactly the shape of the input.

    Args:
        spec: spec of the input.
        value: an image (see `Image`), or an array of the shape and dtype of the input.
        expects: what the input takes, for messages.

    Raises:
        DataError: If the value is an array of numbers that are no pixels, or a text file.
        OSError: If the file does not exist or cannot be read.
    """

    def __init__(self, spec: InputSpec, value: Any, expects: str) -> None:
        self._spec, self._expects = spec, expects
        self._name = str(value) if isinstance(value, str | os.PathLike) else ""
        content = read_bytes(value)
        if content is not None:
            value = parse_npy(content, self._name) if is_npy(content) else content
        self._is_photo = is_image(value)
        if isinstance(value, np.ndarray):
            self._is_photo = not fits(spec, value)
            if self._is_photo and value.dtype != np.uint8:
                value = pixels_of_array(value)
        self._value = value

    def array(self) -> np.ndarray:
        """See `LoadedInput`."""
        return self._array

    def augmented(self, number: int, draws: Iterator[int]) -> np.ndarray:
        """See `LoadedInput` and `augmented_pixels`."""
        size = self._spec.shape[1], self._spec.shape[2]
        return _normalize(self._spec, augmented_pixels(self._photo, size, number, draws))

    def digest(self) -> bytes:
        """See `LoadedInput`."""
        if isinstance(self._value, bytes):
            return hashlib.sha256(self._value).digest()
        return array_digest(np.asarray(self._value))

    def stored_bytes(self) -> bytes:
        """See `LoadedInput`: the file, or the pixels as PNG, or an array as `.npy`."""
        if isinstance(self._value, bytes):
            return self._value
        if isinstance(self._value, np.ndarray):
            return array_bytes(self._value)
        file = io.BytesIO()
        self._value.save(file, "PNG")
        return file.getvalue()

    def thumbnail(self) -> bytes:
        """See `LoadedInput`; it shows the part of the photo that the base gets."""
        import PIL.Image  # not needed without thumbnails

        pixels = _denormalize(self._spec, self._array[0])
        image = PIL.Image.fromarray(pixels if pixels.shape[2] > 1 else pixels[:, :, 0])
        image.thumbnail((_THUMBNAIL, _THUMBNAIL))
        file = io.BytesIO()
        image.save(file, "PNG")
        return file.getvalue()

    @cached_property
    def _array(self) -> np.ndarray:
        if not self._is_photo:
            return fitting_array(self._spec, self._value, self._expects)
        size = self._spec.shape[1], self._spec.shape[2]
        return _normalize(self._spec, center_pixels(self._photo, size))

    @cached_property
    def _photo(self) -> PIL.Image.Image:
        """The whole image in RGB or gray, decoded."""
        value = self._value
        if not is_image(value) and getattr(value, "dtype", None) != np.uint8:
            raise DataError(
                f"{self._spec.name}: an image can be augmented, but not an array of the input; "
                f"got {getattr(value, 'dtype', type(value).__name__)}. Add it with augment=0"
            )
        return decode(value, self._spec.shape[3], name=self._name)


def _normalize(spec: InputSpec, pixels: np.ndarray) -> np.ndarray:
    """Return [1, H, W, C]: pixels, or `(pixel − mean) / std` for a float input."""
    if spec.dtype != "float32":
        return pixels[np.newaxis].astype(spec.dtype)
    mean, std = np.array(spec.mean, np.float32), np.array(spec.std, np.float32)
    normalized: np.ndarray = (pixels[np.newaxis].astype(np.float32) - mean) / std
    return normalized


def _denormalize(spec: InputSpec, values: np.ndarray) -> np.ndarray:
    """Return uint8 pixels [H, W, C] of an array of the input."""
    if spec.dtype == "uint8":
        return values
    if spec.dtype == "float32":
        values = values * np.array(spec.std, np.float32) + np.array(spec.mean, np.float32)
    pixels: np.ndarray = np.clip(np.rint(values), 0, 255).astype(np.uint8)
    return pixels


def _per_channel(values: Sequence[float], channels: int) -> Sequence[float]:
    return values if len(values) == channels else tuple(values) * channels
