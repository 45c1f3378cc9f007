"""Ops that repeat or reverse elements."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ..graph import Op, Tensor
from ._shapes import broadcast_shape, constant_ints, normalize_axes, required
from ._versions import BOOL, F16, I8, I16, STRING, has_type
from .builder import emit
from .reduce import reduce_sum, sum_to
from .registry import NOT_DIFFERENTIABLE, NOT_SUPPORTED, OpRow, Spec, register
from .shape import reshape, reshape_like

__all__ = ["reverse"]


def reverse(x: Tensor, axes: Sequence[int]) -> Tensor:
    """Return `x`, in its shape, with its elements in reverse order along `axes`."""
    return emit("REVERSE_V2", x, np.array(axes, np.int32))


def _infer_reverse(inputs: Sequence[Tensor | None], _: Mapping[str, Any]) -> list[Spec]:
    x = required(inputs[0])
    normalize_axes(constant_ints(inputs[1]), x.rank)
    return [(x.shape, x.dtype)]


# --- TILE --------------------------------------------------------------------------------------


def _infer_tile(inputs: Sequence[Tensor | None], _: Mapping[str, Any]) -> list[Spec]:
    x, counts = required(inputs[0]), constant_ints(inputs[1])
    return [(tuple(n * count for n, count in zip(x.shape, counts, strict=True)), x.dtype)]


def _tile_gradient(op: Op, _: int, g: Tensor) -> Tensor:
    """The sum over the copies, one axis after the other."""
    x, counts = op.input(0), constant_ints(op.input(1))
    sizes = list(g.shape)
    for axis, count in enumerate(counts):
        if count != 1:
            sizes[axis] = x.shape[axis]
            tail = int(np.prod(sizes[axis:], dtype=np.int64))
            copies = reshape(g, (-1, count, tail) if axis else (count, tail))
            g = reduce_sum(copies, [1 if axis else 0])
    return reshape_like(g, x) if g.shape != x.shape else g


# --- BROADCAST_TO --------------------------------------------------------------------------------


def _infer_broadcast(inputs: Sequence[Tensor | None], _: Mapping[str, Any]) -> list[Spec]:
    x, shape = required(inputs[0]), constant_ints(inputs[1])
    if broadcast_shape(x.shape, shape) != shape:
        raise ValueError(f"shape {list(x.shape)} is not broadcast to {list(shape)}")
    return [(shape, x.dtype)]


def _broadcast_any_batch(op: Op, inputs: Sequence[Tensor | None], _: int) -> Tensor:
    """Add zeros, which is faster and states no batch size, if the input has the batch axis."""
    x, shape = required(inputs[0]), op.output.shape
    if op.input(0).rank != len(shape) or op.input(0).shape[0] != shape[0]:
        return emit(op.code, *inputs, name=op.output.name, **op.options)
    return emit("ADD", x, np.zeros((1, *shape[1:]), np.float32), name=op.output.name)


# --- rows --------------------------------------------------------------------------------------

_VALUES = (NOT_SUPPORTED, NOT_DIFFERENTIABLE)  # of values, by sizes or axes

register(
    OpRow(
        "TILE", integers=(1,), gradients=(_tile_gradient, NOT_DIFFERENTIABLE), infer=_infer_tile,
        reference=lambda xs, _: [np.tile(xs[0], xs[1])], options="TileOptions", inputs=2,
        size_input=1, versions=((3, has_type(I8)), (2, has_type(STRING))),
    ),
    OpRow(
        "BROADCAST_TO", integers=(1,),
        gradients=(lambda op, _, g: sum_to(g, op.input(0)), NOT_DIFFERENTIABLE),
        infer=_infer_broadcast, reference=lambda xs, _: [np.broadcast_to(xs[0], xs[1])],
        options="BroadcastToOptions", any_batch=_broadcast_any_batch, inputs=2, size_input=1,
        shape_input=1, versions=((3, has_type(I8, I16)), (2, lambda op: True)),
    ),
    OpRow("BROADCAST_ARGS", integers=(0, 1), gradients=(NOT_DIFFERENTIABLE,), inputs=2),
    OpRow(
        "FILL", integers=(0,), gradients=(NOT_DIFFERENTIABLE, NOT_SUPPORTED), inputs=2,
        size_input=0, shape_input=0,
        versions=(
            (4, lambda op: op.y is F16), (3, lambda op: op.y in (I8, I16)),
            (2, lambda op: op.y in (BOOL, STRING)),
        ),
    ),
    OpRow(
        "REVERSE_V2", integers=(1,),
        gradients=(
            lambda op, _, g: reverse(g, constant_ints(op.input(1))), NOT_DIFFERENTIABLE,
        ),
        infer=_infer_reverse,
        reference=lambda xs, _: [np.flip(xs[0], tuple(int(axis) for axis in xs[1]))],
        options="ReverseV2Options", inputs=2, versions=((3, has_type(I8)), (2, has_type(BOOL))),
    ),
    OpRow("REVERSE_SEQUENCE", integers=(1,), gradients=_VALUES, inputs=2),
    family="Shapes and axes",
)  # fmt: skip
