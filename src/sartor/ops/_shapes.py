"""Shape arithmetic that several families of ops need."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ..graph import DType, Op, Tensor
from .registry import Shape, Spec

__all__ = [
    "broadcast_output", "broadcast_shape", "broadcast_spec", "check_bias", "constant_ints",
    "normalize_axes", "read_ints", "required", "same_output", "same_spec",
]  # fmt: skip


def required(tensor: Tensor | None) -> Tensor:
    """Return the tensor; raise ValueError if it is left out."""
    if tensor is None:
        raise ValueError("an input is left out")
    return tensor


def broadcast_shape(*shapes: Shape) -> Shape:
    """Broadcast shapes by NumPy's rules; raise ValueError if they do not fit."""
    rank = max(len(shape) for shape in shapes)
    padded = [(1,) * (rank - len(shape)) + shape for shape in shapes]
    result = []
    for sizes in zip(*padded, strict=True):
        large = {size for size in sizes if size != 1}
        if len(large) > 1:
            raise ValueError(f"shapes {', '.join(map(str, shapes))} do not broadcast together")
        result.append(large.pop() if large else 1)
    return tuple(result)


def constant_ints(tensor: Tensor | None) -> tuple[int, ...]:
    """Return the integers of a constant, flat; raise ValueError if it is not a constant."""
    tensor = required(tensor)
    if not tensor.is_constant:
        raise ValueError(f"{tensor!r} must be a constant")
    return tuple(int(value) for value in tensor.value.reshape(-1))


def normalize_axes(axes: Sequence[int], rank: int) -> tuple[int, ...]:
    """Return axes in ascending order, each once, none negative.

    Raises:
        ValueError: If an axis is out of range.
    """
    for axis in axes:
        if not -rank <= axis < rank:
            raise ValueError(f"axis {axis} is out of range for rank {rank}")
    return tuple(sorted({axis % rank for axis in axes}))


# --- ops that are emitted: `infer` ---------------------------------------------------------------


def same_spec(inputs: Sequence[Tensor | None], _: Mapping[str, Any]) -> list[Spec]:
    """Return the shape and type of the first input."""
    x = required(inputs[0])
    return [(x.shape, x.dtype)]


def broadcast_spec(inputs: Sequence[Tensor | None], _: Mapping[str, Any]) -> list[Spec]:
    """Return the shape to which two inputs of one type are broadcast, and their type."""
    x, y = map(required, inputs)
    if x.dtype is not y.dtype:
        raise ValueError("the two inputs must be of one type")
    return [(broadcast_shape(x.shape, y.shape), x.dtype)]


# --- ops of a file: `output_shape` ---------------------------------------------------------------


def same_output(op: Op) -> Shape:
    """Return the shape of the first input."""
    return op.input(0).shape


def broadcast_output(op: Op) -> Shape:
    """Return the shape to which all inputs are broadcast."""
    return np.broadcast_shapes(*(tensor.shape for tensor in op.inputs if tensor is not None))


def read_ints(tensor: Tensor | None) -> list[int] | None:
    """Return the integers of a constant, or None if the tensor is not one."""
    if tensor is None or tensor.data is None:
        return None
    if tensor.dtype is not DType.INT32:
        raise ValueError(f"got {tensor.dtype.name} for axes, expected INT32")
    return [int(number) for number in tensor.value.ravel()]


def check_bias(op: Op, channels: int) -> None:
    """Raise ValueError if the op has a bias of another size than `channels`."""
    bias = op.inputs[2] if len(op.inputs) > 2 else None
    if bias is not None and bias.size != channels:
        raise ValueError(f"a bias of {bias.size} for {channels} channels")
