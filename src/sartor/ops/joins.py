"""Joins and splits of tensors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ..graph import Op, Tensor
from ._shapes import constant_ints, normalize_axes, required
from ._versions import BOOL, I8, I16, I32, INT8_2, INT16_3, U8, U32, has_type, keeps_type
from .arithmetic import add
from .builder import emit
from .registry import NOT_DIFFERENTIABLE, OpRow, Shape, Spec, register
from .shape import reshape_like, zeros_like
from .slices import part, slice_

__all__ = ["concatenation"]


def concatenation(xs: Sequence[Tensor], axis: int) -> Tensor:
    """Join tensors along an axis."""
    return emit("CONCATENATION", *xs, axis=axis)


def _without(shape: Shape, axis: int) -> Shape:
    return (*shape[:axis], *shape[axis + 1 :])


# --- CONCATENATION and PACK ----------------------------------------------------------------------


def _infer_concatenation(inputs: Sequence[Tensor | None], options: Mapping[str, Any]) -> list[Spec]:
    xs = [required(x) for x in inputs]
    (axis,) = normalize_axes([options["axis"]], xs[0].rank)
    shape = list(xs[0].shape)
    shape[axis] = sum(x.shape[axis] for x in xs)
    if any(_without(x.shape, axis) != _without(xs[0].shape, axis) for x in xs):
        raise ValueError(f"the shapes differ elsewhere than along axis {axis}")
    return [(tuple(shape), xs[0].dtype)]


def _concatenation_gradient(op: Op, index: int, g: Tensor) -> Tensor:
    """The part of `g` that this input filled."""
    (axis,) = normalize_axes([op.options["axis"]], g.rank)
    begin = sum(op.input(i).shape[axis] for i in range(index))
    return part(g, axis, begin, op.input(index).shape[axis])


def _concatenation_any_batch(op: Op, inputs: Sequence[Tensor | None], _: int) -> Tensor:
    """Repeat constants, such as the class token of a transformer, for each row."""
    xs = [required(x) for x in inputs]
    rows = next(x for x in xs if not x.is_constant)
    (axis,) = normalize_axes([op.options["axis"]], rows.rank)
    if axis != 0:
        xs = [_for_each_row(x, rows) if x.is_constant and x.shape[0] == 1 else x for x in xs]
    return emit("CONCATENATION", *xs, name=op.output.name, **op.options)


def _for_each_row(constant: Tensor, rows: Tensor) -> Tensor:
    """Return a constant [1, …] as [N, …] for N rows, a number that is known at run time only."""
    column = slice_(rows, [0] * rows.rank, [-1] + [1] * (rows.rank - 1))
    return add(zeros_like(column), constant)


def _infer_pack(inputs: Sequence[Tensor | None], options: Mapping[str, Any]) -> list[Spec]:
    xs = [required(x) for x in inputs]
    (axis,) = normalize_axes([options.get("axis", 0)], xs[0].rank + 1)
    if any(x.shape != xs[0].shape for x in xs):
        raise ValueError("the shapes differ")
    shape = xs[0].shape
    return [((*shape[:axis], len(xs), *shape[axis:]), xs[0].dtype)]


def _pack_gradient(op: Op, index: int, g: Tensor) -> Tensor:
    """The part of `g` that this input filled."""
    (axis,) = normalize_axes([op.options.get("axis", 0)], g.rank)
    return reshape_like(part(g, axis, index, 1), op.input(index))


# --- SPLIT, SPLIT_V and UNPACK -------------------------------------------------------------------


def _infer_split(inputs: Sequence[Tensor | None], options: Mapping[str, Any]) -> list[Spec]:
    (axis,), x = constant_ints(inputs[0]), required(inputs[1])
    (axis,), count = normalize_axes([axis], x.rank), options["numSplits"]
    if count < 1 or x.shape[axis] % count:
        raise ValueError(f"{x.shape[axis]} elements do not split into {count} equal parts")
    return _parts(x, axis, [x.shape[axis] // count] * count)


def _infer_split_v(inputs: Sequence[Tensor | None], _: Mapping[str, Any]) -> list[Spec]:
    x, sizes, (axis,) = required(inputs[0]), constant_ints(inputs[1]), constant_ints(inputs[2])
    (axis,) = normalize_axes([axis], x.rank)
    return _parts(x, axis, _sizes(x.shape[axis], sizes))


def _parts(x: Tensor, axis: int, sizes: Sequence[int]) -> list[Spec]:
    return [((*x.shape[:axis], size, *x.shape[axis + 1 :]), x.dtype) for size in sizes]


def _sizes(total: int, sizes: Sequence[int]) -> list[int]:
    """Return the sizes of the parts; one may be -1, which stands for the rest."""
    rest = total - sum(size for size in sizes if size != -1)
    complete = [rest if size == -1 else size for size in sizes]
    if list(sizes).count(-1) > 1 or min(complete) < 0 or sum(complete) != total:
        raise ValueError(f"{total} elements do not split into {list(sizes)}")
    return complete


def _infer_unpack(inputs: Sequence[Tensor | None], options: Mapping[str, Any]) -> list[Spec]:
    x = required(inputs[0])
    (axis,) = normalize_axes([options.get("axis", 0)], x.rank)
    if options["num"] != x.shape[axis]:
        raise ValueError(f"{options['num']} parts of an axis of size {x.shape[axis]}")
    return [(_without(x.shape, axis), x.dtype)] * options["num"]


def _np_split_v(xs: Sequence[Any], _: Mapping[str, Any]) -> list[np.ndarray]:
    x, axis = xs[0], int(xs[2].item())
    sizes = _sizes(x.shape[axis], [int(size) for size in xs[1]])
    return np.split(x, np.cumsum(sizes)[:-1], axis)


def _np_unpack(xs: Sequence[Any], options: Mapping[str, Any]) -> list[np.ndarray]:
    return list(np.moveaxis(xs[0], options.get("axis", 0), 0))


# --- rows --------------------------------------------------------------------------------------

register(
    OpRow(
        "CONCATENATION", gradients=(_concatenation_gradient,), infer=_infer_concatenation,
        reference=lambda xs, options: [np.concatenate(xs, options["axis"])],
        options="ConcatenationOptions", any_batch=_concatenation_any_batch,
        versions=((4, has_type(U32)), *INT16_3),
    ),
    OpRow(
        "PACK", gradients=(_pack_gradient,), infer=_infer_pack,
        reference=lambda xs, options: [np.stack(xs, options.get("axis", 0))],
        options="PackOptions",
        versions=((2, has_type(I8)), (3, keeps_type(I16)), (4, has_type(U32))),
    ),
    OpRow(
        "UNPACK",
        gradients=(
            lambda op, _, gs: emit(
                "PACK", *gs, axis=op.options.get("axis", 0), valuesCount=len(gs)
            ),
        ),
        infer=_infer_unpack, reference=_np_unpack, options="UnpackOptions", output_count="num",
        versions=((2, has_type(I8, U8)), (3, has_type(BOOL)), (4, keeps_type(I16))),
    ),
    OpRow(
        "SPLIT", integers=(0,),
        gradients=(
            NOT_DIFFERENTIABLE, lambda op, _, gs: concatenation(gs, *constant_ints(op.input(0))),
        ),
        infer=_infer_split,
        reference=lambda xs, options: np.split(xs[1], options["numSplits"], int(xs[0].item())),
        options="SplitOptions", inputs=2, output_count="numSplits",
        versions=(
            (4, lambda op: op.y is I16), (3, lambda op: op.y is I32), (2, lambda op: op.y is I8),
        ),
    ),
    OpRow(
        "SPLIT_V", integers=(1, 2),
        gradients=(
            lambda op, _, gs: concatenation(gs, *constant_ints(op.input(2))), NOT_DIFFERENTIABLE,
        ),
        infer=_infer_split_v, reference=_np_split_v, options="SplitVOptions", inputs=3,
        output_count="numSplits", versions=INT8_2,
    ),
    family="Shapes and axes",
)  # fmt: skip
