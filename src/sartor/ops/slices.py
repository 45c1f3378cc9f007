"""Slices."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ..graph import Op, Tensor
from ._shapes import constant_ints, required
from ._versions import (
    BOOL,
    F16,
    I16,
    I64,
    INT8_2,
    STRING,
    U32,
    has_type,
    rank_above,
)  # fmt: skip
from .builder import emit
from .registry import NOT_DIFFERENTIABLE, NOT_SUPPORTED, OpRow, Spec, register

__all__ = ["pad", "part", "slice_", "strided_slice"]

_Box = list[range]
"""The indices along each axis."""


def slice_(x: Tensor, begin: Sequence[int], size: Sequence[int]) -> Tensor:
    """Return a box of `x`; a size of -1 takes all elements from `begin` on.

    With an open first axis this is a STRIDED_SLICE whose end is masked there: SLICE refuses
    another number of rows than the file states.
    """
    if size[0] != -1:
        return emit("SLICE", x, np.array(begin, np.int32), np.array(size, np.int32))
    ends = [0 if n == -1 else start + n for start, n in zip(begin, size, strict=True)]
    return emit(
        "STRIDED_SLICE", x, np.array(begin, np.int32), np.array(ends, np.int32),
        np.ones(x.rank, np.int32), endMask=sum(1 << i for i, n in enumerate(size) if n == -1),
    )  # fmt: skip


def part(x: Tensor, axis: int, begin: int, count: int) -> Tensor:
    """Return `count` elements of `x` along an axis, from `begin` on; all along the others."""
    begins, counts = [0] * x.rank, [-1] * x.rank
    begins[axis], counts[axis] = begin, count
    return slice_(x, begins, counts)


def strided_slice(
    x: Tensor, begin: Sequence[int], end: Sequence[int], strides: Sequence[int]
) -> Tensor:
    """Return every `stride`-th element of a box of `x`, for each axis.

    Strides are slow on large tensors.

    Args:
        x: any tensor.
        begin: first index along each axis.
        end: index after the last one along each axis.
        strides: distance between two elements along each axis, at least 1.
    """
    return emit("STRIDED_SLICE", x, *(np.array(each, np.int32) for each in (begin, end, strides)))


def pad(x: Tensor, paddings: Sequence[tuple[int, int]], value: float = 0.0) -> Tensor:
    """Return `x` with `value` around it: (before, after) for each axis."""
    if value:
        return emit("PADV2", x, np.array(paddings, np.int32), value)
    return emit("PAD", x, np.array(paddings, np.int32))


# --- SLICE -------------------------------------------------------------------------------------


def _box(inputs: Sequence[Tensor | None]) -> _Box:
    x, begin, size = required(inputs[0]), constant_ints(inputs[1]), constant_ints(inputs[2])
    box = []
    for n, start, length in zip(x.shape, begin, size, strict=True):
        end = n if length == -1 else start + length
        if not 0 <= start <= end <= n:
            raise ValueError(f"slice {start}:{end} is out of range for size {n}")
        box.append(range(start, end))
    return box


def _infer_slice(inputs: Sequence[Tensor | None], _: Mapping[str, Any]) -> list[Spec]:
    return [(tuple(map(len, _box(inputs))), required(inputs[0]).dtype)]


def _slice_gradient(op: Op, _: int, g: Tensor) -> Tensor:
    return _place(g, op.input(0), _box(op.inputs))


def _place(g: Tensor, x: Tensor, box: _Box) -> Tensor:
    """Put zeros where the slice left elements of `x` out."""
    for axis, indices in enumerate(box):
        if indices.step > 1 and len(indices) > 1:
            g = _insert_zeros(g, axis, indices.step)
    around = [(each.start, n - each.start - size)
              for n, each, size in zip(x.shape, box, g.shape, strict=True)]  # fmt: skip
    return pad(g, around) if any(map(any, around)) else g


def _insert_zeros(g: Tensor, axis: int, step: int) -> Tensor:
    """Insert `step − 1` zeros between two neighbors along an axis."""
    lead, tail = g.shape[1 : axis + 1], g.shape[axis + 1 :]
    columns = emit("RESHAPE", g, np.array([-1, *lead, 1, *tail], np.int32))
    around = [(0, step - 1 if i == axis + 1 else 0) for i in range(columns.rank)]
    size = g.shape[axis] * step
    sizes = [-1, *lead[:-1], size, *tail] if axis else [size, *tail]
    spread = emit("RESHAPE", pad(columns, around), np.array(sizes, np.int32))
    return part(spread, axis, 0, size - step + 1)  # none behind the last


def _slice_any_batch(op: Op, inputs: Sequence[Tensor | None], batch: int) -> Tensor:
    """Take all rows if the op takes all `batch` rows."""
    begin, size = (op.input(index).value.tolist() for index in (1, 2))
    sizes = [-1 if size[0] == batch else size[0], *size[1:]]
    return slice_(required(inputs[0]), begin, sizes)


def _np_slice(xs: Sequence[Any], _: Mapping[str, Any]) -> list[np.ndarray]:
    x, begin, size = xs
    ends = [n if length == -1 else start + length
            for n, start, length in zip(x.shape, begin, size, strict=True)]  # fmt: skip
    return [x[tuple(slice(start, end) for start, end in zip(begin, ends, strict=True))]]


# --- STRIDED_SLICE -----------------------------------------------------------------------------


def _strided_box(
    shape: Sequence[int], ints: Sequence[Sequence[int]], options: Mapping[str, Any]
) -> _Box:
    """Return the indices of a strided slice; `ints` are its begin, end and strides."""
    for mask in ("ellipsisMask", "newAxisMask"):
        if options.get(mask):
            raise ValueError(f"{mask} is not supported")
    box = []
    for axis, (n, start, stop, step) in enumerate(zip(shape, *ints, strict=True)):
        if step < 1:
            raise ValueError(f"a stride of {step} is not supported")
        from_first = options.get("beginMask", 0) >> axis & 1
        to_last = options.get("endMask", 0) >> axis & 1
        ends = slice(None if from_first else start, None if to_last else stop, int(step))
        if _is_single(options, axis):
            ends = slice(start, start + 1 or None, 1)
        box.append(range(n)[ends])
    return box


def _is_single(options: Mapping[str, Any], axis: int) -> bool:
    """Return True if the slice takes one element along the axis, and removes the axis."""
    return bool(options.get("shrinkAxisMask", 0) >> axis & 1)


def _constant_box(inputs: Sequence[Tensor | None], options: Mapping[str, Any]) -> _Box:
    return _strided_box(required(inputs[0]).shape, [constant_ints(x) for x in inputs[1:]], options)


def _infer_strided_slice(inputs: Sequence[Tensor | None], options: Mapping[str, Any]) -> list[Spec]:
    box = _constant_box(inputs, options)
    shape = [len(each) for axis, each in enumerate(box) if not _is_single(options, axis)]
    return [(tuple(shape), required(inputs[0]).dtype)]


def _strided_slice_gradient(op: Op, _: int, g: Tensor) -> Tensor:
    box = _constant_box(op.inputs, op.options)
    if g.rank != len(box):
        first = 1 if _is_single(op.options, 0) else -1
        g = emit("RESHAPE", g, np.array([first, *map(len, box[1:])], np.int32))
    return _place(g, op.input(0), box)


def _strided_slice_any_batch(op: Op, inputs: Sequence[Tensor | None], _: int) -> Tensor:
    options: dict[str, Any] = dict(op.options)
    if op.input(0).shape[0] == op.output.shape[0] and not _is_single(options, 0):
        options["beginMask"] = options.get("beginMask", 0) | 1
        options["endMask"] = options.get("endMask", 0) | 1
    return emit(op.code, *inputs, name=op.output.name, **options)


def _np_strided_slice(xs: Sequence[Any], options: Mapping[str, Any]) -> list[np.ndarray]:
    x, *ints = xs
    box = _strided_box(x.shape, ints, options)
    y = x[tuple(slice(each.start, each.stop, each.step) for each in box)]
    return [np.squeeze(y, tuple(axis for axis in range(x.ndim) if _is_single(options, axis)))]


# --- rows --------------------------------------------------------------------------------------

register(
    OpRow(
        "SLICE", integers=(1, 2),
        gradients=(_slice_gradient, NOT_DIFFERENTIABLE, NOT_DIFFERENTIABLE),
        infer=_infer_slice, reference=_np_slice, options="SliceOptions",
        any_batch=_slice_any_batch, inputs=3, size_input=2, shape_input=2,
        versions=(
            (6, has_type(U32)), (5, rank_above(4)), (4, has_type(I16)), (3, has_type(STRING)),
            *INT8_2,
        ),
    ),
    OpRow(
        "STRIDED_SLICE", integers=(1, 2, 3),
        gradients=(_strided_slice_gradient, *[NOT_DIFFERENTIABLE] * 3),
        infer=_infer_strided_slice, reference=_np_strided_slice, options="StridedSliceOptions",
        any_batch=_strided_slice_any_batch, inputs=4, size_input=2,
        versions=(
            (8, lambda op: op.option("offset")),
            (7, has_type(U32)),
            (6, lambda op: op.option("ellipsisMask") or op.option("newAxisMask")),
            (5, has_type(STRING)), (4, rank_above(4)), (3, has_type(BOOL)), *INT8_2,
        ),
    ),
    OpRow(
        "DYNAMIC_UPDATE_SLICE", integers=(2,),
        gradients=(NOT_SUPPORTED, NOT_SUPPORTED, NOT_DIFFERENTIABLE),
        inputs=3,
        versions=((4, has_type(I16)), (3, has_type(F16)), (2, lambda op: op.z is I64)),
    ),
    OpRow("DILATE", gradients=(NOT_SUPPORTED, NOT_DIFFERENTIABLE), inputs=3),
    family="Slices and padding",
)  # fmt: skip
