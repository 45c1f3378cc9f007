"""Features as bytes: the base's own integers where it has them, else half precision."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from ...contract.manifest import FeatureSpec
from ...errors import DataError

__all__ = ["FeatureCodec"]

_QUANTIZED, _HALF, _SINGLE = "q", "e", "f"
_TYPES: dict[str, np.dtype[Any]] = {_HALF: np.dtype("<f2"), _SINGLE: np.dtype("<f4")}
_HALF_ERROR = 2.0**-11  # of a value that float16 holds in full; smaller ones lose more


class FeatureCodec:
    """Turns the views of a sample into bytes and back.

    Each features tensor of a sample is written in one of three ways, named by a letter:
    `q`, the integers of a quantized base, which come back bit for bit; `e`, float16; `f`, float32,
    where float16 would lose more than the last of its 11 bits, as for values above 65,504 or a
    whole row of values below 6e-5. The letters of all tensors are the sample's *encoding*. The
    bytes are little-endian, and view after view, so many samples decode in one step.

    Args:
        specs: the features tensors, as the manifest describes them.
    """

    def __init__(self, specs: Sequence[FeatureSpec]) -> None:
        self._specs = tuple(specs)

    def encode(self, views: Sequence[Sequence[np.ndarray]]) -> tuple[str, bytes]:
        """The encoding and the bytes of a sample.

        Args:
            views: for each view a float32 [1, …] for each features tensor.

        Raises:
            DataError: there is no view, or an array is of another shape or type, or not finite.
        """
        if not views:
            raise DataError("a sample has at least one view; got none")
        for view in views:
            self._check(view)
        tensors = [np.concatenate(arrays) for arrays in zip(*views, strict=True)]
        pairs = zip(self._specs, tensors, strict=True)
        written = [_encode(spec, array) for spec, array in pairs]
        encoding = "".join(letter for letter, _ in written)
        rows = np.empty(len(views), self._record(encoding))
        for name, (_, array) in zip(rows.dtype.names or (), written, strict=True):
            rows[name] = array
        return encoding, rows.tobytes()

    def most(self) -> int:
        """The bytes of one view in the longest encoding."""
        return sum(4 * math.prod(spec.shape) for spec in self._specs)

    def is_known(self, encoding: object) -> bool:
        """Whether this is an encoding of these features tensors."""
        return (
            isinstance(encoding, str)
            and len(encoding) == len(self._specs)
            and all(map(_allows, self._specs, encoding))
        )

    def size(self, encoding: str) -> int:
        """The bytes of one view."""
        return self._record(encoding).itemsize

    def decode(self, encoding: str, data: Iterable[bytes]) -> list[np.ndarray]:
        """The features of samples of one encoding: float32 [rows, …], one for each tensor."""
        rows = np.frombuffer(b"".join(data), self._record(encoding))
        return [
            _decode(spec, letter, rows[name])
            for spec, letter, name in zip(
                self._specs, encoding, rows.dtype.names or (), strict=True
            )
        ]

    def empty(self, rows: int) -> list[np.ndarray]:
        """Room for this many rows: float32 [rows, …], one for each tensor."""
        return [np.empty((rows, *spec.shape), np.float32) for spec in self._specs]

    def _record(self, encoding: str) -> np.dtype[Any]:
        return np.dtype(
            [
                (spec.name, _type(spec, letter), spec.shape)
                for spec, letter in zip(self._specs, encoding, strict=True)
            ]
        )

    def _check(self, view: Sequence[np.ndarray]) -> None:
        if len(view) != len(self._specs):
            raise DataError(
                f"a view has one array for each of the {len(self._specs)} features tensors of the "
                f"model; got {len(view)}"
            )
        for spec, array in zip(self._specs, view, strict=True):
            if array.dtype != np.float32 or array.shape != (1, *spec.shape):
                raise DataError(
                    f"{spec.name} must be float32 {[1, *spec.shape]}, "
                    f"got {array.dtype} {list(array.shape)}"
                )
            if not np.isfinite(array).all():
                raise DataError(
                    f"{spec.name} has values that are not finite: the base cannot make use of this "
                    "sample, so it is not kept"
                )


def _encode(spec: FeatureSpec, array: np.ndarray) -> tuple[str, np.ndarray]:
    """The letter of a tensor float32 [views, …], and the tensor in that type."""
    if _is_quantized(spec):
        integers = _quantize(spec, array)
        if _same_bits(_decode(spec, _QUANTIZED, integers), array):
            return _QUANTIZED, integers
    with np.errstate(over="ignore"):
        half = array.astype(_TYPES[_HALF])
    if _is_harmless(array, half):
        return _HALF, half
    return _SINGLE, array


def _is_harmless(array: np.ndarray, half: np.ndarray) -> bool:
    """Whether each row lost at most what float16 loses of any value."""
    exact = array.reshape(len(array), -1).astype(np.float64)
    lost = half.reshape(exact.shape).astype(np.float64) - exact
    limits = _HALF_ERROR * np.linalg.norm(exact, axis=1)
    return bool((np.linalg.norm(lost, axis=1) <= limits).all())


def _quantize(spec: FeatureSpec, array: np.ndarray) -> np.ndarray:
    target = np.dtype(spec.dtype)
    limits = np.iinfo(target)
    scale = np.float32(spec.scale or 1)
    steps = np.rint(array.astype(np.float64) / scale) + (spec.zero_point or 0)
    integers: np.ndarray = np.clip(steps, limits.min, limits.max).astype(_type(spec, _QUANTIZED))
    return integers


def _decode(spec: FeatureSpec, letter: str, array: np.ndarray) -> np.ndarray:
    if letter != _QUANTIZED:
        return array.astype(np.float32)
    exact = np.dtype(np.float32 if array.dtype.itemsize < 4 else np.float64)
    shifted: np.ndarray = array.astype(exact) - exact.type(spec.zero_point or 0)
    shifted = shifted.astype(np.float32, copy=False)
    shifted *= np.float32(spec.scale or 1)  # as LiteRT's DEQUANTIZE does it
    return shifted


def _same_bits(one: np.ndarray, other: np.ndarray) -> bool:
    return np.array_equal(one.view(np.uint32), np.ascontiguousarray(other).view(np.uint32))


def _is_quantized(spec: FeatureSpec) -> bool:
    return spec.scale is not None and np.dtype(spec.dtype).kind in "iu"


def _allows(spec: FeatureSpec, letter: str) -> bool:
    return letter in _TYPES or (letter == _QUANTIZED and _is_quantized(spec))


def _type(spec: FeatureSpec, letter: str) -> np.dtype[Any]:
    if letter != _QUANTIZED:
        return _TYPES[letter]
    integers: np.dtype[Any] = np.dtype(spec.dtype).newbyteorder("<")
    return integers
