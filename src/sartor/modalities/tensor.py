"""Raw tensors: arrays that are fed without any preprocessing."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterator
from typing import Any

import numpy as np

from ..contract.manifest import InputSpec
from ..contract.names import TENSOR
from ..contract.sample_store import pack
from ..errors import DataError
from .files import read_array

__all__ = ["LoadedTensor", "TensorModality", "array_bytes", "array_digest", "fits", "fitting_array"]

_LARGEST = 1 << 24  # float32 represents every integer up to this one


class TensorModality:
    """Arrays of the shape of the input, with or without its batch of 1."""

    name = TENSOR
    suffixes = frozenset((".csv", ".npy", ".tsv", ".txt"))
    reads_files = False
    has_normalization = False

    def load(self, spec: InputSpec, value: Any) -> LoadedTensor:
        """See `Modality`."""
        array = _without_integers(spec, _with_batch(spec, read_array(spec, value)))
        return LoadedTensor(spec, array, self.expects(spec))

    def expects(self, spec: InputSpec) -> str:
        """See `Modality`."""
        return f"{spec.name} takes a .npy or .csv file, or an array {spec.dtype} {list(spec.shape)}"

    def check(self, spec: InputSpec) -> str | None:
        """See `Modality`."""
        return None

    def is_normalized(self, spec: InputSpec) -> bool:
        """See `Modality`."""
        return False

    def value_range(self, spec: InputSpec) -> tuple[float, float] | None:
        """See `Modality`."""
        return None

    def per_tensor_range(self, spec: InputSpec) -> tuple[float, float] | None:
        """See `Modality`."""
        return None

    def compact(self, spec: InputSpec, value: Any) -> np.ndarray:
        """See `Modality`."""
        array = _without_integers(spec, _with_batch(spec, value))
        return fitting_array(spec, array, self.expects(spec))


def _with_batch(spec: InputSpec, value: Any) -> Any:
    """Return an array of one sample with its batch axis; other values as they are."""
    lacks_batch = isinstance(value, np.ndarray) and value.shape == spec.shape[1:] != ()
    return value[np.newaxis] if lacks_batch else value


def _without_integers(spec: InputSpec, value: Any) -> Any:
    """Return integers as float32 for a float input that represents them all; others as they are."""
    if not isinstance(value, np.ndarray) or spec.dtype != "float32" or value.dtype.kind not in "iu":
        return value
    is_exact = not value.size or (value.min() >= -_LARGEST and value.max() <= _LARGEST)
    return value.astype(np.float32) if is_exact else value


class LoadedTensor:
    """An array given by the user.

    Args:
        spec: spec of the input.
        value: the user's array.
        expects: what the input takes, for messages.
    """

    def __init__(self, spec: InputSpec, value: Any, expects: str) -> None:
        self._spec, self._value, self._expects = spec, value, expects

    def array(self) -> np.ndarray:
        """See `LoadedInput`."""
        return fitting_array(self._spec, self._value, self._expects)

    def augmented(self, number: int, draws: Iterator[int]) -> np.ndarray:
        """Raise DataError: a tensor has no augmentations."""
        raise DataError(
            f"only images can be augmented, and {self._spec.name!r} of the model is a "
            f"{self._spec.modality}: omit augment= (--augment)"
        )

    def digest(self) -> bytes:
        """See `LoadedInput`; the dtype is that of the spec."""
        return array_digest(self.array())

    def stored_bytes(self) -> bytes:
        """See `LoadedInput`: a `.npy` file."""
        return array_bytes(self._value)

    def thumbnail(self) -> None:
        """Return None: a tensor has no thumbnail."""


def fitting_array(spec: InputSpec, value: Any, expects: str) -> np.ndarray:
    """Return an array in the dtype of the input.

    Args:
        spec: spec of the input.
        value: array of exactly the shape of the input. Floats may have any width; integers must
            be in the range of the dtype.
        expects: what the input takes, for messages.

    Raises:
        DataError: If the value does not fit.
    """
    if not isinstance(value, np.ndarray):
        raise DataError(f"{expects}; got {type(value).__name__}")
    if not fits(spec, value):
        raise DataError(f"{expects}; got {value.dtype} {list(value.shape)}")
    with np.errstate(over="ignore"):  # a value above the float32 range becomes infinite
        array = np.ascontiguousarray(value, spec.dtype)
    if not np.isfinite(array).all():
        raise DataError(
            f"{spec.name} contains values that are not finite (NaN or infinite): "
            "check how the array was computed"
        )
    return array


def fits(spec: InputSpec, array: np.ndarray) -> bool:
    """Return whether an array has the shape of the input, and values that its dtype represents."""
    return array.shape == spec.shape and _is_castable(array, spec.dtype)


def array_digest(array: np.ndarray) -> bytes:
    """Return the SHA-256 of the dtype, shape and values of an array.

    The digest is that of the name of the dtype, such as `float32`, the rank, and the sizes, as
    `pack` returns them; then the values row by row, little-endian.
    """
    header = pack(array.dtype.name, array.ndim, *array.shape)
    values = array.astype(array.dtype.newbyteorder("<"), copy=False)
    return hashlib.sha256(header + values.tobytes()).digest()


def array_bytes(array: np.ndarray) -> bytes:
    """Return an array as the content of a `.npy` file."""
    file = io.BytesIO()
    np.save(file, array, allow_pickle=False)
    return file.getvalue()


def _is_castable(array: np.ndarray, dtype: str) -> bool:
    """Return whether the dtype can represent the values."""
    if dtype == "float32":
        return bool(np.issubdtype(array.dtype, np.floating))
    if not np.issubdtype(array.dtype, np.integer):
        return False
    limits = np.iinfo(dtype)
    return not array.size or bool(limits.min <= array.min() and array.max() <= limits.max)
