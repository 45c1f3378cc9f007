"""Element types of tensors."""

from __future__ import annotations

from enum import Enum

import numpy as np

__all__ = ["DType"]


class DType(Enum):
    """The element type of a tensor, with the name of the TFLite schema."""

    FLOAT32 = "FLOAT32"
    FLOAT16 = "FLOAT16"
    INT32 = "INT32"
    UINT8 = "UINT8"
    INT64 = "INT64"
    STRING = "STRING"
    BOOL = "BOOL"
    INT16 = "INT16"
    COMPLEX64 = "COMPLEX64"
    INT8 = "INT8"
    FLOAT64 = "FLOAT64"
    COMPLEX128 = "COMPLEX128"
    UINT64 = "UINT64"
    RESOURCE = "RESOURCE"
    VARIANT = "VARIANT"
    UINT32 = "UINT32"
    UINT16 = "UINT16"
    INT4 = "INT4"
    BFLOAT16 = "BFLOAT16"
    INT2 = "INT2"
    UINT4 = "UINT4"
    FLOAT8_E4M3FN = "FLOAT8_E4M3FN"
    FLOAT8_E5M2 = "FLOAT8_E5M2"

    @property
    def numpy(self) -> np.dtype[np.generic] | None:
        """The NumPy dtype, or None if NumPy has none (strings, resources, packed integers)."""
        return _NUMPY.get(self)

    @property
    def bits(self) -> int | None:
        """The bits of an element in a buffer, or None if they vary."""
        dtype = self.numpy
        return dtype.itemsize * 8 if dtype is not None else _PACKED_BITS.get(self)

    @property
    def is_float(self) -> bool:
        """True for the floating-point types that NumPy has."""
        return self in (DType.FLOAT16, DType.FLOAT32, DType.FLOAT64)

    @classmethod
    def of(cls, array: np.ndarray) -> DType:
        """Return the type of an array; raise KeyError if TFLite does not have it."""
        return _FROM_NUMPY[array.dtype]


_NUMPY: dict[DType, np.dtype[np.generic]] = {
    DType.FLOAT32: np.dtype("<f4"),
    DType.FLOAT16: np.dtype("<f2"),
    DType.INT32: np.dtype("<i4"),
    DType.UINT8: np.dtype("u1"),
    DType.INT64: np.dtype("<i8"),
    DType.BOOL: np.dtype("?"),
    DType.INT16: np.dtype("<i2"),
    DType.COMPLEX64: np.dtype("<c8"),
    DType.INT8: np.dtype("i1"),
    DType.FLOAT64: np.dtype("<f8"),
    DType.COMPLEX128: np.dtype("<c16"),
    DType.UINT64: np.dtype("<u8"),
    DType.UINT32: np.dtype("<u4"),
    DType.UINT16: np.dtype("<u2"),
}
_FROM_NUMPY = {dtype: name for name, dtype in _NUMPY.items()}
_PACKED_BITS = {
    DType.INT4: 4,
    DType.UINT4: 4,
    DType.INT2: 2,
    DType.BFLOAT16: 16,
    DType.FLOAT8_E4M3FN: 8,
    DType.FLOAT8_E5M2: 8,
}
