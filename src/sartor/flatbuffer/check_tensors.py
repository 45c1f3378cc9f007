"""Checks of tensors: shape, data and quantization."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..errors import InvalidModelError
from ..graph import DType, Tensor
from .sparsity import stored_values

__all__ = ["ADVICE", "check_tensor"]

ADVICE = "Download the model again, or correct the program that wrote it."

_MAX_ELEMENTS = 2**31 - 1  # kernels count in 32 bits
_SMALLEST_SCALE = np.finfo(np.float32).tiny  # kernels divide by a scale; its inverse is finite


def check_tensor(tensor: Tensor, where: str) -> None:
    """Check the shape, the data and the quantization of a tensor.

    Args:
        tensor: tensor of a graph.
        where: name of the graph, for messages.

    Raises:
        InvalidModelError: If they contradict each other, or would crash LiteRT.
    """
    what = f"{where}, tensor {tensor.name!r}"
    elements = math.prod(tensor.shape)
    if any(size < 0 for size in tensor.shape) or elements > _MAX_ELEMENTS:
        raise InvalidModelError(
            f"{what} has shape {list(tensor.shape)}, expected sizes of 0 or more and at most "
            f"{_MAX_ELEMENTS} elements. {ADVICE}"
        )
    signature = tensor.shape_signature
    if signature and len(signature) != tensor.rank:
        raise InvalidModelError(
            f"{what} has shape {list(tensor.shape)} and shape signature {list(signature)}, "
            f"expected as many sizes. {ADVICE}"
        )
    if tensor.data is not None:
        _check_constant(tensor, tensor.data, elements, what)
    if tensor.quantization is not None:
        _check_quantization(tensor, what)


def _check_constant(tensor: Tensor, data: np.ndarray, elements: int, what: str) -> None:
    if tensor.is_variable:
        raise InvalidModelError(
            f"{what} is a variable with data, expected a variable without. {ADVICE}"
        )
    bits = tensor.dtype.bits
    if tensor.dtype is DType.STRING:
        _check_strings(data, elements, what)
    if bits is None:
        return
    if tensor.sparsity is not None:
        elements = stored_values(tensor, what)
    expected = (elements * bits + 7) // 8
    if data.nbytes != expected:
        raise InvalidModelError(
            f"{what} is a constant of {data.nbytes} bytes, expected {expected} for "
            f"{elements} elements of {tensor.dtype.name}. {ADVICE}"
        )


def _check_strings(data: np.ndarray, elements: int, what: str) -> None:
    """Check the table at the start of a string constant: the count, and count + 1 offsets."""
    if not data.size and not elements:
        return
    header = data[: 4 * (elements + 2)]
    numbers = header[: header.size // 4 * 4].view("<i4").astype(np.int64)
    if (
        numbers.size != elements + 2
        or numbers[0] != elements
        or numbers[1] != header.size
        or numbers[-1] > data.size
        or bool(np.any(np.diff(numbers[1:]) < 0))
    ):
        raise InvalidModelError(
            f"{what} is a constant whose table does not describe {elements} strings in "
            f"{data.size} bytes. {ADVICE}"
        )


def _check_quantization(tensor: Tensor, what: str) -> None:
    quantization = tensor.quantization
    if quantization is None or not quantization.scale.size:
        return
    scale, count = quantization.scale, quantization.scale.size
    if not bool(np.all(np.isfinite(scale) & (scale >= _SMALLEST_SCALE))):
        raise InvalidModelError(
            f"{what} has a scale of {_first_wrong(scale)!s}, expected a positive number of at "
            f"least {_SMALLEST_SCALE:.2g}. {ADVICE}"
        )
    if quantization.zero_point.size != count:
        raise InvalidModelError(
            f"{what} has {count} scales and {quantization.zero_point.size} zero points, expected "
            f"equal numbers. {ADVICE}"
        )
    _check_zero_points(tensor, quantization.zero_point, what)
    axis = quantization.axis
    if axis < 0 or (tensor.rank and axis >= tensor.rank):
        raise InvalidModelError(
            f"{what} is quantized along axis {axis}, expected one of its {tensor.rank}. {ADVICE}"
        )
    if count > 1 and tensor.rank and count != tensor.shape[axis]:
        raise InvalidModelError(
            f"{what} has {count} scales along axis {axis} of shape {list(tensor.shape)}, expected "
            f"one, or {tensor.shape[axis]}. {ADVICE}"
        )


def _first_wrong(scale: np.ndarray) -> np.float32:
    """Return the first scale that no kernel can divide by."""
    wrong = ~(np.isfinite(scale) & (scale >= _SMALLEST_SCALE))
    value: np.float32 = scale[wrong][0]
    return value


def _check_zero_points(tensor: Tensor, zero_points: np.ndarray, what: str) -> None:
    """Check that zero points are values of the tensor's type, as XNNPACK assumes."""
    dtype: np.dtype[Any] = np.dtype(tensor.dtype.numpy or np.float32)
    if dtype.kind not in "iu":
        return
    limits = np.iinfo(dtype)
    if bool(np.any((zero_points < limits.min) | (zero_points > limits.max))):
        raise InvalidModelError(
            f"{what} has a zero point beyond the values of {tensor.dtype.name}, expected "
            f"{limits.min}…{limits.max}. {ADVICE}"
        )
