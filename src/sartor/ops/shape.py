"""Shapes and axes: ops that move or repeat elements."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ..graph import Op, Tensor
from ._shapes import constant_ints, normalize_axes, read_ints, required, same_output, same_spec
from ._versions import (
    BOOL,
    F16,
    I4,
    I8,
    I16,
    I32,
    I64,
    INT8_2,
    INT16_3,
    STRING,
    U8,
    U32,
    VersionRule,
    has_type,
    keeps_type,
    rank_above,
)  # fmt: skip
from .builder import emit
from .registry import NOT_DIFFERENTIABLE, NOT_SUPPORTED, ZERO, OpRow, Shape, Spec, register
from .slices import slice_

__all__ = ["concatenation", "flatten", "reshape", "reshape_like", "transpose", "zeros_like"]


def reshape(x: Tensor, shape: Sequence[int], *, name: str | None = None) -> Tensor:
    """Return the same elements in another shape; one size may be -1."""
    return emit("RESHAPE", x, np.array(shape, np.int32), name=name)


def reshape_like(x: Tensor, target: Tensor) -> Tensor:
    """Reshape to the shape of `target`, with the first axis open for any number of rows."""
    if target.rank == 0:
        return reshape(x, ())
    return reshape(x, (-1, *target.shape[1:]))


def flatten(x: Tensor, *, name: str | None = None) -> Tensor:
    """Reshape [N, ...] to [N, F]; a tensor of rank 2 is returned unchanged."""
    return x if x.rank == 2 else reshape(x, (-1, x.size // x.shape[0]), name=name)


def transpose(x: Tensor, permutation: Sequence[int]) -> Tensor:
    """Return `x` with axis `permutation[i]` as axis `i`."""
    return emit("TRANSPOSE", x, np.array(permutation, np.int32))


def concatenation(xs: Sequence[Tensor], axis: int) -> Tensor:
    """Join tensors along an axis."""
    return emit("CONCATENATION", *xs, axis=axis)


def zeros_like(x: Tensor) -> Tensor:
    """Return zeros in the shape that `x` has at run time."""
    return emit("ZEROS_LIKE", x)


# --- RESHAPE -----------------------------------------------------------------------------------


def _infer_reshape(inputs: Sequence[Tensor | None], options: Mapping[str, Any]) -> list[Spec]:
    x = required(inputs[0])
    if len(inputs) > 1 and inputs[1] is not None:
        shape = list(constant_ints(inputs[1]))
    else:
        shape = [int(n) for n in options["newShape"]]
    if shape.count(-1) == 1:
        rest = int(np.prod([n for n in shape if n != -1], dtype=np.int64))
        if rest == 0 or x.size % rest:
            raise ValueError(f"{x.size} elements do not fill shape {shape}")
        shape[shape.index(-1)] = x.size // rest
    if int(np.prod(shape, dtype=np.int64)) != x.size or min(shape, default=0) < 0:
        raise ValueError(f"{x.size} elements do not fill shape {shape}")
    return [(tuple(shape), x.dtype)]


def _reshape_output(op: Op) -> Shape:
    stated = op.outputs[0].shape
    if op.input(0).size != op.outputs[0].size:
        raise ValueError(f"{op.input(0).size} elements cannot be {list(stated)}")
    sizes = read_ints(op.inputs[1]) if len(op.inputs) > 1 else None
    if sizes is None or len(sizes) != len(stated):  # a file of an old form, or computed
        return stated
    return tuple(actual if size == -1 else size for size, actual in zip(sizes, stated, strict=True))


def _reshape_any_batch(op: Op, inputs: Sequence[Tensor | None], _: int) -> Tensor:
    """Take the shape that the file states, which may be computed, with an open batch."""
    return reshape(required(inputs[0]), (-1, *op.output.shape[1:]), name=op.output.name)


def _np_reshape(xs: Sequence[Any], options: Mapping[str, Any]) -> list[np.ndarray]:
    shape = xs[1] if len(xs) > 1 and xs[1] is not None else options["newShape"]
    return [np.reshape(xs[0], [int(n) for n in np.ravel(shape)])]


# --- TRANSPOSE ---------------------------------------------------------------------------------


def _infer_transpose(inputs: Sequence[Tensor | None], _: Mapping[str, Any]) -> list[Spec]:
    x, permutation = required(inputs[0]), constant_ints(inputs[1])
    if sorted(permutation) != list(range(x.rank)):
        raise ValueError(f"{permutation} is not a permutation of {x.rank} axes")
    return [(tuple(x.shape[axis] for axis in permutation), x.dtype)]


def _transpose_output(op: Op) -> Shape | None:
    order, shape = read_ints(op.inputs[1]), op.input(0).shape
    if order is None:
        return None
    if sorted(order) != list(range(len(shape))):
        raise ValueError(f"{order} is not an order of {len(shape)} axes")
    return tuple(shape[axis] for axis in order)


def _transpose_gradient(op: Op, _: int, g: Tensor) -> Tensor:
    return transpose(g, [int(axis) for axis in np.argsort(constant_ints(op.input(1)))])


# --- CONCATENATION -----------------------------------------------------------------------------


def _infer_concatenation(inputs: Sequence[Tensor | None], options: Mapping[str, Any]) -> list[Spec]:
    xs = [required(x) for x in inputs]
    (axis,) = normalize_axes([options["axis"]], xs[0].rank)
    shape = list(xs[0].shape)
    shape[axis] = sum(x.shape[axis] for x in xs)
    for x in xs:
        if x.shape[:axis] + x.shape[axis + 1 :] != tuple(shape[:axis] + shape[axis + 1 :]):
            raise ValueError(f"the shapes differ elsewhere than along axis {axis}")
    return [(tuple(shape), xs[0].dtype)]


def _concatenation_gradient(op: Op, index: int, g: Tensor) -> Tensor:
    """The slice of `g` that this input filled."""
    (axis,) = normalize_axes([op.options["axis"]], g.rank)
    begin, size = [0] * g.rank, [-1] * g.rank
    begin[axis] = sum(op.input(i).shape[axis] for i in range(index))
    size[axis] = op.input(index).shape[axis]
    return slice_(g, begin, size)


# --- rows --------------------------------------------------------------------------------------

_VALUES = (NOT_SUPPORTED, NOT_DIFFERENTIABLE)  # of values, by sizes or axes
_BLOCKS: tuple[VersionRule, ...] = ((4, has_type(I16)), (3, lambda op: op.rank() != 4), *INT8_2)

register(
    OpRow(
        "RESHAPE", integers=(1,),
        gradients=(lambda op, i, g: reshape_like(g, op.input(0)), NOT_DIFFERENTIABLE),
        infer=_infer_reshape, reference=_np_reshape, options="ReshapeOptions",
        any_batch=_reshape_any_batch, output_shape=_reshape_output, size_input=1, shape_input=1,
    ),
    OpRow(
        "TRANSPOSE", integers=(1,),
        gradients=(_transpose_gradient, NOT_DIFFERENTIABLE), infer=_infer_transpose,
        reference=lambda xs, _: [np.transpose(xs[0], xs[1])], options="TransposeOptions",
        output_shape=_transpose_output, inputs=2,
        versions=(
            (7, has_type(I4)), (6, rank_above(5)), (5, has_type(I16)), (4, rank_above(4)),
            (3, has_type(BOOL)), *INT8_2,
        ),
    ),
    OpRow(
        "CONCATENATION", gradients=(_concatenation_gradient,), infer=_infer_concatenation,
        reference=lambda xs, options: [np.concatenate(xs, options["axis"])],
        options="ConcatenationOptions", versions=((4, has_type(U32)), *INT16_3),
    ),
    OpRow(
        "ZEROS_LIKE", gradients=(ZERO,), infer=same_spec,
        reference=lambda xs, _: [np.zeros_like(xs[0])], options="ZerosLikeOptions",
        output_shape=same_output,
    ),
    OpRow("SQUEEZE", versions=((2, has_type(STRING)),)),
    OpRow("EXPAND_DIMS", integers=(1,), gradients=_VALUES, inputs=2, size_input=1),
    OpRow("PACK", versions=((2, has_type(I8)), (3, keeps_type(I16)), (4, has_type(U32)))),
    OpRow(
        "UNPACK", output_count="num",
        versions=((2, has_type(I8, U8)), (3, has_type(BOOL)), (4, keeps_type(I16))),
    ),
    OpRow(
        "SPLIT", integers=(0,),
        gradients=(NOT_DIFFERENTIABLE, NOT_SUPPORTED), inputs=2, output_count="numSplits",
        versions=(
            (4, lambda op: op.y is I16), (3, lambda op: op.y is I32), (2, lambda op: op.y is I8),
        ),
    ),
    OpRow(
        "SPLIT_V", integers=(1, 2), gradients=_VALUES, inputs=3, output_count="numSplits",
        versions=INT8_2,
    ),
    OpRow(
        "BROADCAST_TO", integers=(1,), gradients=_VALUES, inputs=2, size_input=1, shape_input=1,
        versions=((3, has_type(I8, I16)), (2, lambda op: True)),
    ),
    OpRow("BROADCAST_ARGS", integers=(0, 1), gradients=(NOT_DIFFERENTIABLE,), inputs=2),
    OpRow("TILE", integers=(1,), gradients=_VALUES, inputs=2, size_input=1,
          versions=((3, has_type(I8)), (2, has_type(STRING)))),
    OpRow(
        "FILL", integers=(0,),
        gradients=(NOT_DIFFERENTIABLE, NOT_SUPPORTED), inputs=2, size_input=0,
        shape_input=0,
        versions=(
            (4, lambda op: op.y is F16), (3, lambda op: op.y in (I8, I16)),
            (2, lambda op: op.y in (BOOL, STRING)),
        ),
    ),
    OpRow("RANGE", gradients=(NOT_DIFFERENTIABLE,), inputs=3, dynamic_output=True,
          versions=((2, has_type(I64)),)),
    OpRow("SHAPE", gradients=(ZERO,), measures_shape=True),
    OpRow("RANK", gradients=(ZERO,), measures_shape=True),
    OpRow("REVERSE_V2", integers=(1,), gradients=_VALUES, inputs=2,
          versions=((3, has_type(I8)), (2, has_type(BOOL)))),
    OpRow("REVERSE_SEQUENCE", integers=(1,), gradients=_VALUES, inputs=2),
    OpRow("SPACE_TO_DEPTH", versions=INT8_2),
    OpRow("DEPTH_TO_SPACE", versions=INT8_2),
    OpRow("SPACE_TO_BATCH_ND", integers=(1, 2), gradients=_VALUES, inputs=3, versions=_BLOCKS),
    OpRow("BATCH_TO_SPACE_ND", integers=(1, 2), gradients=_VALUES, inputs=3, versions=_BLOCKS),
    OpRow("MATRIX_DIAG"),
    OpRow("MATRIX_SET_DIAG", inputs=2),
    family="Shapes and axes",
)  # fmt: skip
