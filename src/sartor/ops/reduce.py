"""Ops that sum or average over axes."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ..graph import Op, Tensor
from ._shapes import constant_ints, given, normalize_axes
from .builder import emit
from .elementwise import add, div, mul
from .registry import OpRow, Spec, State, register
from .shape import reshape, slice_, zeros_like

__all__ = ["cumsum", "mean", "reduce_sum", "spread"]


def reduce_sum(
    x: Tensor, axes: Sequence[int], *, keep_dims: bool = False, name: str | None = None
) -> Tensor:
    """The sum over `axes`."""
    return emit("SUM", x, np.array(axes, np.int32), keepDims=keep_dims, name=name)


def mean(x: Tensor, axes: Sequence[int], *, keep_dims: bool = False) -> Tensor:
    """The mean over `axes`."""
    return emit("MEAN", x, np.array(axes, np.int32), keepDims=keep_dims)


def cumsum(x: Tensor, axis: int) -> Tensor:
    """The sum of all elements up to each, itself included, along `axis`."""
    return emit("CUMSUM", x, np.array([axis], np.int32))


def spread(g: Tensor, target: Tensor, axes: Sequence[int]) -> Tensor:
    """Repeat `g` over `axes`, to the shape of `target`.

    Adding zeros is the fast form: BROADCAST_TO takes a hundred times as long. Where the first
    axis (the batch) is among them the zeros are made at run time, so that the graph still takes
    any number of rows.

    Args:
        g: the shape of `target` with 1 at `axes`, or without them where they lead.
        target: float32, of the wanted shape.
        axes: none negative.
    """
    if 0 in axes:
        return add(zeros_like(target), g)
    if g.shape == target.shape:
        return g
    zeros = np.zeros([n if axis in axes else 1 for axis, n in enumerate(target.shape)], np.float32)
    return add(g, zeros)


def _axes(op: Op) -> tuple[int, ...]:
    return normalize_axes(constant_ints(op.inputs[1]), op.input(0).rank)


def _reduced(inputs: Sequence[Tensor | None], options: Mapping[str, Any]) -> list[Spec]:
    x = given(inputs[0])
    axes = normalize_axes(constant_ints(inputs[1]), x.rank)
    if options.get("keepDims"):
        return [(tuple(1 if axis in axes else n for axis, n in enumerate(x.shape)), x.dtype)]
    return [(tuple(n for axis, n in enumerate(x.shape) if axis not in axes), x.dtype)]


def _spread_back(op: Op, _: int, g: Tensor) -> Tensor:
    """The gradient of a sum: `g`, repeated over what was summed."""
    x, axes = op.input(0), _axes(op)
    leading = axes == tuple(range(len(axes)))  # what is left broadcasts as it is
    if not op.options.get("keepDims") and not leading:
        open_first = 0 not in axes
        shape = [1 if axis in axes else n for axis, n in enumerate(x.shape)]
        g = reshape(g, [-1, *shape[1:]] if open_first else shape)
    return spread(g, x, axes)


def _mean_back(op: Op, index: int, g: Tensor) -> Tensor:
    """The gradient of the sum, divided by how many were averaged."""
    x, axes = op.input(0), _axes(op)
    count = math.prod(x.shape[axis] for axis in axes if axis != 0)
    if count != 1:
        g = mul(g, 1.0 / count)
    return _spread_back(op, index, div(g, _length(x)) if 0 in axes else g)


def _cumulated(inputs: Sequence[Tensor | None], _: Mapping[str, Any]) -> list[Spec]:
    x = given(inputs[0])
    normalize_axes(constant_ints(inputs[1]), x.rank)
    return [(x.shape, x.dtype)]


def _cumulated_back(op: Op, _: int, g: Tensor) -> Tensor:
    """The sum of the gradients from each element on: the same, from the other end."""
    options = {**op.options, "reverse": not op.options.get("reverse")}
    return emit("CUMSUM", g, op.input(1), **options)


def _length(x: Tensor) -> Tensor:
    """The size of the first axis at run time (the batch): float32 [1]."""
    column = slice_(x, [0] * x.rank, [-1] + [1] * (x.rank - 1))
    return reduce_sum(add(zeros_like(reshape(column, (-1,))), 1.0), [0], keep_dims=True)


def _np_cumsum(xs: Sequence[Any], options: Mapping[str, Any]) -> list[np.ndarray]:
    (axis,) = _np_axes(xs)
    x = np.flip(xs[0], axis) if options.get("reverse") else xs[0]
    y = np.cumsum(x, axis)
    y = y - x if options.get("exclusive") else y
    return [np.flip(y, axis) if options.get("reverse") else y]


def _np_axes(xs: Sequence[Any]) -> tuple[int, ...]:
    return normalize_axes([int(axis) for axis in np.ravel(xs[1])], np.ndim(xs[0]))


register(
    OpRow(
        "CUMSUM", _cumulated, (_cumulated_back, State.NOT_DIFFERENTIABLE), _np_cumsum,
        options="CumsumOptions",
    ),
    OpRow(
        "SUM", _reduced, (_spread_back, State.NOT_DIFFERENTIABLE),
        lambda xs, o: [np.sum(xs[0], _np_axes(xs), keepdims=bool(o.get("keepDims")))],
        options="ReducerOptions", cost=lambda op: op.input(0).size,
    ),
    OpRow(
        "MEAN", _reduced, (_mean_back, State.NOT_DIFFERENTIABLE),
        lambda xs, o: [np.mean(xs[0], _np_axes(xs), keepdims=bool(o.get("keepDims")))],
        options="ReducerOptions", cost=lambda op: op.input(0).size,
    ),
)  # fmt: skip
