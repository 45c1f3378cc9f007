"""Shapes and axes: ops that keep every element."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ..graph import Op, Tensor
from ._shapes import constant_ints, normalize_axes, read_ints, required, same_output, same_spec
from ._versions import (
    BOOL,
    I4,
    I16,
    I64,
    INT8_2,
    STRING,
    has_type,
    rank_above,
)  # fmt: skip
from .builder import emit
from .registry import NOT_DIFFERENTIABLE, ZERO, OpRow, Shape, Spec, register

__all__ = ["flatten", "reshape", "reshape_like", "transpose", "zeros_like"]


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


def _back(op: Op, _: int, g: Tensor) -> Tensor:
    """`g` in the shape of the input."""
    return reshape_like(g, op.input(0))


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


# --- SQUEEZE and EXPAND_DIMS --------------------------------------------------------------------


def _infer_squeeze(inputs: Sequence[Tensor | None], options: Mapping[str, Any]) -> list[Spec]:
    x = required(inputs[0])
    axes = _squeezed(x.shape, options)
    if any(x.shape[axis] != 1 for axis in axes):
        raise ValueError(f"axes {list(axes)} are not all of size 1")
    return [(tuple(n for axis, n in enumerate(x.shape) if axis not in axes), x.dtype)]


def _squeezed(shape: Sequence[int], options: Mapping[str, Any]) -> tuple[int, ...]:
    """Return the axes to remove: those that the options list, or all of size 1."""
    listed = options.get("squeezeDims")
    if listed is not None and len(listed):
        return normalize_axes([int(axis) for axis in listed], len(shape))
    return tuple(axis for axis, n in enumerate(shape) if n == 1)


def _infer_expansion(inputs: Sequence[Tensor | None], _: Mapping[str, Any]) -> list[Spec]:
    x, (axis,) = required(inputs[0]), constant_ints(inputs[1])
    (axis,) = normalize_axes([axis], x.rank + 1)
    return [((*x.shape[:axis], 1, *x.shape[axis:]), x.dtype)]


# --- rows --------------------------------------------------------------------------------------

register(
    OpRow(
        "RESHAPE", integers=(1,),
        gradients=(_back, NOT_DIFFERENTIABLE), infer=_infer_reshape,
        reference=_np_reshape, options="ReshapeOptions",
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
        "ZEROS_LIKE", gradients=(ZERO,), infer=same_spec,
        reference=lambda xs, _: [np.zeros_like(xs[0])], options="ZerosLikeOptions",
        output_shape=same_output,
    ),
    OpRow(
        "SQUEEZE", gradients=(_back,), infer=_infer_squeeze,
        reference=lambda xs, o: [np.squeeze(xs[0], _squeezed(xs[0].shape, o))],
        options="SqueezeOptions", any_batch=_reshape_any_batch, versions=((2, has_type(STRING)),),
    ),
    OpRow(
        "EXPAND_DIMS", integers=(1,), gradients=(_back, NOT_DIFFERENTIABLE),
        infer=_infer_expansion, reference=lambda xs, _: [np.expand_dims(xs[0], int(xs[1].item()))],
        options="ExpandDimsOptions", any_batch=_reshape_any_batch, inputs=2, size_input=1,
    ),
    OpRow("RANGE", gradients=(NOT_DIFFERENTIABLE,), inputs=3, dynamic_output=True,
          versions=((2, has_type(I64)),)),
    OpRow("SHAPE", gradients=(ZERO,), measures_shape=True),
    OpRow("RANK", gradients=(ZERO,), measures_shape=True),
    OpRow("MATRIX_DIAG"),
    OpRow("MATRIX_SET_DIAG", inputs=2),
    family="Shapes and axes",
)  # fmt: skip
