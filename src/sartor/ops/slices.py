"""Slices and padding."""

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
    INT16_3,
    STRING,
    U32,
    VersionRule,
    has_type,
    rank_above,
)  # fmt: skip
from .builder import emit
from .registry import NOT_DIFFERENTIABLE, NOT_SUPPORTED, OpRow, Spec, register

__all__ = ["pad", "slice_"]

_Box = list[tuple[int, int]]  # begin and end along each axis


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


def pad(x: Tensor, paddings: Sequence[tuple[int, int]]) -> Tensor:
    """Return `x` with zeros around it: (before, after) for each axis."""
    return emit("PAD", x, np.array(paddings, np.int32))


# --- SLICE -------------------------------------------------------------------------------------


def _box(inputs: Sequence[Tensor | None]) -> _Box:
    x, begin, size = required(inputs[0]), constant_ints(inputs[1]), constant_ints(inputs[2])
    box = []
    for n, start, length in zip(x.shape, begin, size, strict=True):
        end = n if length == -1 else start + length
        if not 0 <= start <= end <= n:
            raise ValueError(f"slice {start}:{end} is out of range for size {n}")
        box.append((start, end))
    return box


def _infer_slice(inputs: Sequence[Tensor | None], _: Mapping[str, Any]) -> list[Spec]:
    return [(tuple(end - start for start, end in _box(inputs)), required(inputs[0]).dtype)]


def _slice_gradient(op: Op, _: int, g: Tensor) -> Tensor:
    return _pad_back(op, g, _box(op.inputs))


def _pad_back(op: Op, g: Tensor, box: _Box) -> Tensor:
    """Put zeros around `g` where the slice left elements out."""
    sizes = zip(op.input(0).shape, box, strict=True)
    return pad(g, [(start, n - end) for n, (start, end) in sizes])


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
    """Return the box of a strided slice; `ints` are its begin, end and strides."""
    begin, end, strides = ints
    for mask in ("ellipsisMask", "newAxisMask", "shrinkAxisMask"):
        if options.get(mask):
            raise ValueError(f"{mask} is not supported")
    if any(stride != 1 for stride in strides):
        raise ValueError("strides other than 1 are not supported")
    box = []
    for axis, (n, start, stop) in enumerate(zip(shape, begin, end, strict=True)):
        from_first = options.get("beginMask", 0) >> axis & 1
        to_last = options.get("endMask", 0) >> axis & 1
        first, last, _ = slice(None if from_first else start, None if to_last else stop).indices(n)
        box.append((first, max(first, last)))
    return box


def _constant_box(inputs: Sequence[Tensor | None], options: Mapping[str, Any]) -> _Box:
    return _strided_box(required(inputs[0]).shape, [constant_ints(x) for x in inputs[1:]], options)


def _infer_strided_slice(inputs: Sequence[Tensor | None], options: Mapping[str, Any]) -> list[Spec]:
    box = _constant_box(inputs, options)
    return [(tuple(end - start for start, end in box), required(inputs[0]).dtype)]


def _strided_slice_gradient(op: Op, _: int, g: Tensor) -> Tensor:
    return _pad_back(op, g, _constant_box(op.inputs, op.options))


def _strided_slice_any_batch(op: Op, inputs: Sequence[Tensor | None], _: int) -> Tensor:
    options: dict[str, Any] = dict(op.options)
    if op.input(0).shape[0] == op.output.shape[0]:
        options["beginMask"] = options.get("beginMask", 0) | 1
        options["endMask"] = options.get("endMask", 0) | 1
    return emit(op.code, *inputs, name=op.output.name, **options)


def _np_strided_slice(xs: Sequence[Any], options: Mapping[str, Any]) -> list[np.ndarray]:
    x, *ints = xs
    return [x[tuple(slice(*ends) for ends in _strided_box(x.shape, ints, options))]]


# --- PAD ---------------------------------------------------------------------------------------


def _paddings(tensor: Tensor | None) -> _Box:
    flat = constant_ints(tensor)
    return list(zip(flat[::2], flat[1::2], strict=True))


def _infer_pad(inputs: Sequence[Tensor | None], _: Mapping[str, Any]) -> list[Spec]:
    x = required(inputs[0])
    around = zip(x.shape, _paddings(inputs[1]), strict=True)
    return [(tuple(n + before + after for n, (before, after) in around), x.dtype)]


def _pad_gradient(op: Op, _: int, g: Tensor) -> Tensor:
    around = _paddings(op.inputs[1])
    begin = [before for before, _ in around]
    sizes = zip(op.input(0).shape, around, strict=True)
    return slice_(g, begin, [n if any(both) else -1 for n, both in sizes])


# --- rows --------------------------------------------------------------------------------------

_PAD_VERSIONS: tuple[VersionRule, ...] = ((5, has_type(BOOL)), (4, rank_above(4)), *INT16_3)

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
        "PAD", integers=(1,), gradients=(_pad_gradient, NOT_DIFFERENTIABLE), infer=_infer_pad,
        reference=lambda xs, _: [np.pad(xs[0], xs[1])], options="PadOptions", inputs=2,
        size_input=1, versions=_PAD_VERSIONS,
    ),
    OpRow(
        "PADV2", integers=(1,),
        gradients=(NOT_SUPPORTED, NOT_DIFFERENTIABLE, NOT_SUPPORTED), inputs=3,
        size_input=1, versions=_PAD_VERSIONS,
    ),
    OpRow(
        "MIRROR_PAD", integers=(1,), gradients=(NOT_SUPPORTED, NOT_DIFFERENTIABLE), inputs=2,
        versions=INT16_3,
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
