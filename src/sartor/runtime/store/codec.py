"""Features as bytes: the integers of a quantized base, or half precision."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any, TypeAlias

import numpy as np

from ...contract.manifest import FeatureSpec
from ...contract.sample_store import STORE_FLOAT16, STORE_FLOAT32, STORE_INTEGER
from ...errors import DataError

__all__ = ["FeatureCodec", "FeatureRows"]

FeatureRows: TypeAlias = "Sequence[Sequence[np.ndarray]]"
"""Features of a sample and of its augmentations: for each a float32 [1, …] per features tensor."""

_TYPES: dict[str, np.dtype[Any]] = {STORE_FLOAT16: np.dtype("<f2"), STORE_FLOAT32: np.dtype("<f4")}
_HALF_ERROR = 2.0**-11  # relative error of a normal float16 number; smaller ones lose more


class FeatureCodec:
    """Encodes the features of a sample as bytes, and decodes them.

    Each features tensor has one of three encodings, named by a letter: `q`, the integers of a
    quantized base, without loss; `e`, float16; `f`, float32, if float16 would lose more than the
    last of its 11 bits (values above 65,504, or a whole row of values below 6e-5). The letters of
    all tensors are the *encoding* of the sample. The bytes are little-endian, one row after the
    other, so that many samples can be decoded in one step.

    Args:
        specs: descriptions of the features tensors, from the manifest.
    """

    def __init__(self, specs: Sequence[FeatureSpec]) -> None:
        self._specs = tuple(specs)
        self._records: dict[str, np.dtype[Any]] = {}  # one for each encoding

    def encode(self, rows: FeatureRows) -> tuple[str, bytes]:
        """Return the encoding and the bytes of a sample.

        Args:
            rows: features of the sample and of its augmentations.

        Raises:
            DataError: If there is no row, or an array has another shape or dtype, or is not
                finite.
        """
        if not rows:
            raise DataError("a sample needs at least one row of features; got none")
        for row in rows:
            self._check(row)
        tensors = [np.concatenate(arrays) for arrays in zip(*rows, strict=True)]
        pairs = zip(self._specs, tensors, strict=True)
        encoded = [_encode(spec, array) for spec, array in pairs]
        encoding = "".join(letter for letter, _ in encoded)
        records = np.empty(len(rows), self._record(encoding))
        for name, (_, array) in zip(records.dtype.names or (), encoded, strict=True):
            records[name] = array
        return encoding, records.tobytes()

    def max_size(self) -> int:
        """Return the bytes of one row in the longest encoding."""
        return sum(4 * math.prod(spec.shape) for spec in self._specs)

    def is_valid(self, encoding: object) -> bool:
        """Return whether this is an encoding of these features tensors."""
        return (
            isinstance(encoding, str)
            and len(encoding) == len(self._specs)
            and all(map(_allows, self._specs, encoding))
        )

    def size(self, encoding: str) -> int:
        """Return the bytes of one row."""
        return self._record(encoding).itemsize

    def decode(self, encoding: str, data: Iterable[bytes]) -> list[np.ndarray]:
        """Return the features of samples of one encoding: float32 [rows, …] for each tensor."""
        rows = np.frombuffer(b"".join(data), self._record(encoding))
        return [
            _decode(spec, letter, rows[name])
            for spec, letter, name in zip(
                self._specs, encoding, rows.dtype.names or (), strict=True
            )
        ]

    @property
    def tensors(self) -> int:
        """Number of features tensors."""
        return len(self._specs)

    def empty(self, rows: int) -> list[np.ndarray]:
        """Return uninitialized arrays: float32 [rows, …] for each tensor."""
        return [np.empty((rows, *spec.shape), np.float32) for spec in self._specs]

    def zeros(self, rows: int) -> list[np.ndarray]:
        """Return arrays of zeros: float32 [rows, …] for each tensor."""
        return [np.zeros((rows, *spec.shape), np.float32) for spec in self._specs]

    def _record(self, encoding: str) -> np.dtype[Any]:
        if encoding not in self._records:
            pairs = zip(self._specs, encoding, strict=True)
            fields = [(spec.name, _type(spec, letter), spec.shape) for spec, letter in pairs]
            self._records[encoding] = np.dtype(fields)
        return self._records[encoding]

    def _check(self, row: Sequence[np.ndarray]) -> None:
        if len(row) != len(self._specs):
            raise DataError(
                f"the model has {len(self._specs)} features tensors; got {len(row)} arrays"
            )
        for spec, array in zip(self._specs, row, strict=True):
            if array.dtype != np.float32 or array.shape != (1, *spec.shape):
                raise DataError(
                    f"{spec.name} must be float32 {[1, *spec.shape]}, "
                    f"got {array.dtype} {list(array.shape)}"
                )
            if not np.isfinite(array).all():
                raise DataError(
                    f"{spec.name} has values that are not finite: the base cannot process this "
                    "sample, so it is not stored"
                )


def _encode(spec: FeatureSpec, array: np.ndarray) -> tuple[str, np.ndarray]:
    """Return the letter of a tensor float32 [rows, …], and the tensor in that dtype."""
    if _is_quantized(spec):
        integers = _quantize(spec, array)
        if _same_bits(_decode(spec, STORE_INTEGER, integers), array):
            return STORE_INTEGER, integers
    with np.errstate(over="ignore"):
        half = array.astype(_TYPES[STORE_FLOAT16])
    if _is_precise(array, half):
        return STORE_FLOAT16, half
    return STORE_FLOAT32, array


def _is_precise(array: np.ndarray, half: np.ndarray) -> bool:
    """Return whether no row lost more than the relative error of float16."""
    exact = array.reshape(len(array), -1).astype(np.float64)
    lost = half.reshape(exact.shape).astype(np.float64) - exact
    limits = _HALF_ERROR * np.linalg.norm(exact, axis=1)
    return bool((np.linalg.norm(lost, axis=1) <= limits).all())


def _quantize(spec: FeatureSpec, array: np.ndarray) -> np.ndarray:
    target = np.dtype(spec.dtype)
    limits = np.iinfo(target)
    scale = np.float32(spec.scale or 1)
    steps = np.rint(array.astype(np.float64) / scale) + (spec.zero_point or 0)
    integers: np.ndarray = np.clip(steps, limits.min, limits.max).astype(_type(spec, STORE_INTEGER))
    return integers


def _decode(spec: FeatureSpec, letter: str, array: np.ndarray) -> np.ndarray:
    if letter != STORE_INTEGER:
        return array.astype(np.float32)
    exact = np.dtype(np.float32 if array.dtype.itemsize < 4 else np.float64)
    shifted: np.ndarray = array.astype(exact) - exact.type(spec.zero_point or 0)
    shifted = shifted.astype(np.float32, copy=False)
    shifted *= np.float32(spec.scale or 1)  # the computation of LiteRT's DEQUANTIZE
    return shifted


def _same_bits(one: np.ndarray, other: np.ndarray) -> bool:
    return np.array_equal(one.view(np.uint32), np.ascontiguousarray(other).view(np.uint32))


def _is_quantized(spec: FeatureSpec) -> bool:
    return spec.scale is not None and np.dtype(spec.dtype).kind in "iu"


def _allows(spec: FeatureSpec, letter: str) -> bool:
    return letter in _TYPES or (letter == STORE_INTEGER and _is_quantized(spec))


def _type(spec: FeatureSpec, letter: str) -> np.dtype[Any]:
    if letter != STORE_INTEGER:
        return _TYPES[letter]
    integers: np.dtype[Any] = np.dtype(spec.dtype).newbyteorder("<")
    return integers
