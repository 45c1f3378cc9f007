"""Reductions over axes."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from ..graph import Op, Tensor
from ._activation import mask_positive
from ._shapes import constant_ints, normalize_axes, read_ints, required
from ._versions import BOOL, I16, INT8_2, INT8_INT16_2, INT16_3, VersionRule, has_type
from .arithmetic import add, div, mul, sub
from .builder import emit
from .registry import NOT_DIFFERENTIABLE, NOT_SUPPORTED, ZERO, OpRow, Shape, Spec, register
from .shape import reshape, reshape_like, zeros_like
from .slices import slice_

__all__ = ["cumsum", "mean", "reduce_max", "reduce_sum", "spread", "sum_to"]


def reduce_sum(
    x: Tensor, axes: Sequence[int], *, keep_dims: bool = False, name: str | None = None
) -> Tensor:
    """Return the sum over `axes`."""
    return emit("SUM", x, np.array(axes, np.int32), keepDims=keep_dims, name=name)


def reduce_max(x: Tensor, axes: Sequence[int], *, keep_dims: bool = False) -> Tensor:
    """Return the maximum over `axes`."""
    return emit("REDUCE_MAX", x, np.array(axes, np.int32), keepDims=keep_dims)


def mean(x: Tensor, axes: Sequence[int], *, keep_dims: bool = False) -> Tensor:
    """Return the mean over `axes`."""
    return emit("MEAN", x, np.array(axes, np.int32), keepDims=keep_dims)


def cumsum(x: Tensor, axis: int) -> Tensor:
    """Return the cumulative sum along `axis`."""
    return emit("CUMSUM", x, np.array([axis], np.int32))


def spread(g: Tensor, target: Tensor, axes: Sequence[int]) -> Tensor:
    """Repeat `g` over `axes`, to the shape of `target`.

    Adding zeros is the fast form: BROADCAST_TO takes a hundred times as long. If the first axis
    (the batch) is one of `axes`, the zeros are made at run time, so that the graph still takes
    any number of rows.

    Args:
        g: tensor of the shape of `target` with 1 at `axes`, or without leading `axes`.
        target: float32 tensor of the resulting shape.
        axes: axes, none negative.
    """
    if 0 in axes:
        return add(zeros_like(target), g)
    if g.shape == target.shape:
        return g
    zeros = np.zeros([n if axis in axes else 1 for axis, n in enumerate(target.shape)], np.float32)
    return add(g, zeros)


def sum_to(g: Tensor, target: Tensor) -> Tensor:
    """Sum a gradient over the axes along which `target` was broadcast.

    Args:
        g: gradient, of a shape to which `target` was broadcast.
        target: input whose gradient this is.
    """
    if g.shape == target.shape:
        return g
    extra = g.rank - target.rank
    padded = (1,) * extra + target.shape
    axes = [
        axis
        for axis, (size, target_size) in enumerate(zip(g.shape, padded, strict=True))
        if axis < extra or (target_size == 1 and size != 1)
    ]
    if all(axis < extra for axis in axes):
        return reduce_sum(g, axes)
    summed = reduce_sum(g, axes, keep_dims=True)
    return reshape_like(summed, target) if extra else summed


def _axes(op: Op) -> tuple[int, ...]:
    return normalize_axes(constant_ints(op.inputs[1]), op.input(0).rank)


def _infer_reduction(inputs: Sequence[Tensor | None], options: Mapping[str, Any]) -> list[Spec]:
    x = required(inputs[0])
    axes = normalize_axes(constant_ints(inputs[1]), x.rank)
    if options.get("keepDims"):
        return [(tuple(1 if axis in axes else n for axis, n in enumerate(x.shape)), x.dtype)]
    return [(tuple(n for axis, n in enumerate(x.shape) if axis not in axes), x.dtype)]


def _sum_gradient(op: Op, _: int, g: Tensor) -> Tensor:
    """`g`, repeated over the axes that were summed."""
    x, axes = op.input(0), _axes(op)
    leading = axes == tuple(range(len(axes)))  # then `g` broadcasts without a reshape
    if not op.options.get("keepDims") and not leading:
        open_first = 0 not in axes
        shape = [1 if axis in axes else n for axis, n in enumerate(x.shape)]
        g = reshape(g, [-1, *shape[1:]] if open_first else shape)
    return spread(g, x, axes)


def _mean_gradient(op: Op, index: int, g: Tensor) -> Tensor:
    """The gradient of the sum, divided by the number of elements."""
    x, axes = op.input(0), _axes(op)
    count = math.prod(x.shape[axis] for axis in axes if axis != 0)
    if count != 1:
        g = mul(g, 1.0 / count)
    return _sum_gradient(op, index, div(g, _count_rows(x)) if 0 in axes else g)


def _extreme_gradient(op: Op, _: int, g: Tensor) -> Tensor:
    """`g` to the largest (smallest) elements, in equal parts."""
    x, axes = op.input(0), _axes(op)
    extreme = emit(op.code, x, np.array(axes, np.int32), keepDims=True)
    distance = sub(extreme, x) if op.code == "REDUCE_MAX" else sub(x, extreme)
    chosen = sub(1.0, mask_positive(distance))
    shape = [1 if axis in axes else n for axis, n in enumerate(x.shape)]
    rows = reshape(g, [-1, *shape[1:]] if 0 not in axes else shape)
    return mul(chosen, div(rows, reduce_sum(chosen, axes, keep_dims=True)))


def _infer_cumsum(inputs: Sequence[Tensor | None], _: Mapping[str, Any]) -> list[Spec]:
    x = required(inputs[0])
    normalize_axes(constant_ints(inputs[1]), x.rank)
    return [(x.shape, x.dtype)]


def _cumsum_gradient(op: Op, _: int, g: Tensor) -> Tensor:
    """The cumulative sum of `g` from the other end."""
    options = {**op.options, "reverse": not op.options.get("reverse")}
    return emit("CUMSUM", g, op.input(1), **options)


def _count_rows(x: Tensor) -> Tensor:
    """Return the size of the first axis at run time (the batch): float32 [1]."""
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


def _reduction_output(op: Op) -> Shape | None:
    axes, shape = read_ints(op.inputs[1]), op.input(0).shape
    if axes is None:
        return None
    if any(not -len(shape) <= axis < len(shape) for axis in axes):
        raise ValueError(f"axes {axes} of {len(shape)}")
    reduced = {axis % len(shape) for axis in axes}
    if op.options["keepDims"]:
        return tuple(1 if axis in reduced else size for axis, size in enumerate(shape))
    return tuple(size for axis, size in enumerate(shape) if axis not in reduced)


def _extreme(code: str, reference: Callable[..., Any], versions: tuple[VersionRule, ...]) -> OpRow:
    return OpRow(
        code, integers=(1,), gradients=(_extreme_gradient, NOT_DIFFERENTIABLE),
        infer=_infer_reduction,
        reference=lambda xs, o: [reference(xs[0], _np_axes(xs), keepdims=bool(o.get("keepDims")))],
        options="ReducerOptions", output_shape=_reduction_output, inputs=2, size_input=1,
        versions=versions,
    )  # fmt: skip


def _row(code: str, versions: tuple[VersionRule, ...] = ()) -> OpRow:
    """Return the row of a reduction without a gradient rule."""
    return OpRow(
        code, gradients=(NOT_SUPPORTED, NOT_DIFFERENTIABLE), output_shape=_reduction_output,
        integers=(1,), inputs=2, versions=versions,
    )  # fmt: skip


_ARG_VERSIONS: tuple[VersionRule, ...] = ((3, has_type(BOOL)), *INT8_2)

register(
    OpRow(
        "SUM", integers=(1,), gradients=(_sum_gradient, NOT_DIFFERENTIABLE), infer=_infer_reduction,
        reference=lambda xs, o: [np.sum(xs[0], _np_axes(xs), keepdims=bool(o.get("keepDims")))],
        options="ReducerOptions", output_shape=_reduction_output, inputs=2, size_input=1,
        versions=INT8_2,
    ),
    OpRow(
        "MEAN", integers=(1,),
        gradients=(_mean_gradient, NOT_DIFFERENTIABLE), infer=_infer_reduction,
        reference=lambda xs, o: [np.mean(xs[0], _np_axes(xs), keepdims=bool(o.get("keepDims")))],
        options="ReducerOptions", output_shape=_reduction_output, inputs=2, size_input=1,
        versions=INT16_3,
    ),
    OpRow(
        "CUMSUM", integers=(1,),
        gradients=(_cumsum_gradient, NOT_DIFFERENTIABLE), infer=_infer_cumsum,
        reference=_np_cumsum, options="CumsumOptions", inputs=2,
    ),
    _extreme("REDUCE_MAX", np.max, INT16_3),
    _extreme("REDUCE_MIN", np.min, INT16_3),
    OpRow(
        "REDUCE_PROD", integers=(1,), gradients=(NOT_SUPPORTED, NOT_DIFFERENTIABLE),
        reference=lambda xs, o: [np.prod(xs[0], _np_axes(xs), keepdims=bool(o.get("keepDims")))],
        output_shape=_reduction_output, inputs=2, versions=INT8_INT16_2,
    ),
    _row("REDUCE_ANY"),
    _row("REDUCE_ALL"),
    OpRow("REDUCE_WINDOW", gradients=(NOT_SUPPORTED, NOT_SUPPORTED, NOT_DIFFERENTIABLE), inputs=5),
    OpRow(
        "ARG_MAX", integers=(1,), gradients=(ZERO, NOT_DIFFERENTIABLE), inputs=2,
        versions=_ARG_VERSIONS,
    ),
    OpRow(
        "ARG_MIN", integers=(1,), gradients=(ZERO, NOT_DIFFERENTIABLE), inputs=2,
        versions=_ARG_VERSIONS,
    ),
    OpRow(
        "TOPK_V2", gradients=(NOT_SUPPORTED, NOT_DIFFERENTIABLE), inputs=2, outputs=2,
        versions=((3, has_type(I16)), *INT8_2),
    ),
    family="Reductions",
)  # fmt: skip
