"""Lookup by index: gather, scatter, segments, embeddings and hash tables."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ..graph import Op, Tensor
from ._shapes import constant_ints, normalize_axes, required
from ._versions import BOOL, I4, I8, I16, I64, INT8_2, STRING, U8, has_type
from .arithmetic import mul
from .builder import emit
from .reduce import reduce_sum
from .registry import NOT_DIFFERENTIABLE, NOT_SUPPORTED, OpRow, Shape, Spec, register
from .shape import reshape, reshape_like

# --- GATHER, EMBEDDING_LOOKUP and ONE_HOT --------------------------------------------------------


def _infer_gather(inputs: Sequence[Tensor | None], options: Mapping[str, Any]) -> list[Spec]:
    x, indices = required(inputs[0]), required(inputs[1])
    shared, axis = _axes(x.shape, indices.shape, options)
    if x.shape[:shared] != indices.shape[:shared]:
        raise ValueError(f"indices {indices.shape} do not share {shared} axes with {x.shape}")
    return [((*x.shape[:axis], *indices.shape[shared:], *x.shape[axis + 1 :]), x.dtype)]


def _axes(shape: Shape, indices: Shape, options: Mapping[str, Any]) -> tuple[int, int]:
    """Return the number of axes that values and indices share, and the axis that is looked up."""
    shared = int(options.get("batchDims", 0))
    shared += len(indices) if shared < 0 else 0
    (axis,) = normalize_axes([options.get("axis", 0)], len(shape))
    if not 0 <= shared <= min(axis, len(indices)):
        raise ValueError(f"{shared} shared axes do not fit axis {axis}")
    return shared, axis


def _np_gather(xs: Sequence[Any], options: Mapping[str, Any]) -> list[np.ndarray]:
    x, indices = xs
    shared, axis = _axes(x.shape, indices.shape, options)
    rows = x.reshape(-1, *x.shape[shared:])
    places = indices.reshape(-1, *indices.shape[shared:])
    y = [np.take(row, place, axis - shared) for row, place in zip(rows, places, strict=True)]
    return [np.stack(y).reshape((*x.shape[:shared], *y[0].shape))]


def _gather_gradient(op: Op, _: int, g: Tensor) -> Tensor:
    """The sum of `g` over the places of each index.

    Along the first axis SCATTER_ND adds the rows. Along others `g` is multiplied by the one-hot
    vectors of the indices: no shape then states the size of the batch.
    """
    x, indices = op.input(0), op.input(1)
    shared, axis = _axes(x.shape, indices.shape, op.options)
    if axis == 0:
        return _scatter(g, indices, x)
    count, places = x.shape[axis], math.prod(indices.shape[shared:])
    tail = math.prod(x.shape[axis + 1 :])
    between = math.prod(x.shape[shared:axis])
    vectors = _one_hot(indices, count)
    if not shared:
        rows = reshape(g, (-1, places, tail))
        vectors = reshape(vectors, (1, places, count))
    else:
        rows = reshape(g, (-1, between, places, tail))
        vectors = reshape(vectors, (-1, 1, places, count))
    return reshape_like(emit("BATCH_MATMUL", vectors, rows, adjX=True, adjY=False), x)


def _one_hot(indices: Tensor, count: int) -> Tensor:
    """Return the one-hot vectors of indices: float32 [..., count]."""
    if indices.is_constant:
        return indices.graph.constant(np.eye(count, dtype=np.float32)[indices.value])
    depth = np.array(count, np.int32)
    return emit("ONE_HOT", indices, depth, np.float32(1), np.float32(0), axis=-1)


def _infer_one_hot(inputs: Sequence[Tensor | None], options: Mapping[str, Any]) -> list[Spec]:
    indices, on = required(inputs[0]), required(inputs[2])
    (depth,), axis = constant_ints(inputs[1]), options.get("axis", -1)
    (axis,) = normalize_axes([axis], indices.rank + 1)
    return [((*indices.shape[:axis], depth, *indices.shape[axis:]), on.dtype)]


def _np_one_hot(xs: Sequence[Any], options: Mapping[str, Any]) -> list[np.ndarray]:
    indices, depth, on, off = xs
    is_on = np.expand_dims(indices, -1) == np.arange(int(depth))
    return [np.where(np.moveaxis(is_on, -1, options.get("axis", -1)), on, off)]


def _value_gradient(op: Op, index: int, g: Tensor) -> Tensor:
    """The sum of `g` where the value is: `on` is input 2, `off` input 3."""
    values = (np.float32(1), np.float32(0)) if index == 2 else (np.float32(0), np.float32(1))
    is_there = emit("ONE_HOT", op.input(0), op.input(1), *values, **op.options)
    total = reduce_sum(mul(g, is_there), range(g.rank))
    return reshape_like(total, op.input(index))


def _lookup_gradient(op: Op, _: int, g: Tensor) -> Tensor:
    """The sum of `g` over the places of each index."""
    return _scatter(g, op.input(0), op.input(1))


def _scatter(g: Tensor, indices: Tensor, x: Tensor) -> Tensor:
    """Add rows of `g` to zeros in the shape of `x`; SCATTER_ND adds rows of equal indices."""
    rows = reshape(g, (-1, *x.shape[1:]))
    return emit("SCATTER_ND", reshape(indices, (-1, 1)), rows, np.array(x.shape, np.int32))


def _infer_lookup(inputs: Sequence[Tensor | None], _: Mapping[str, Any]) -> list[Spec]:
    indices, x = required(inputs[0]), required(inputs[1])
    return [((*indices.shape, *x.shape[1:]), x.dtype)]


# --- SCATTER_ND and GATHER_ND: indices of several axes -------------------------------------------


def _infer_scatter(inputs: Sequence[Tensor | None], _: Mapping[str, Any]) -> list[Spec]:
    return [(constant_ints(inputs[2]), required(inputs[1]).dtype)]


def _np_scatter(xs: Sequence[Any], _: Mapping[str, Any]) -> list[np.ndarray]:
    indices, updates, shape = xs
    y = np.zeros([int(n) for n in shape], updates.dtype)
    np.add.at(y, tuple(np.moveaxis(indices, -1, 0)), updates)
    return [y]


def _infer_points(inputs: Sequence[Tensor | None], _: Mapping[str, Any]) -> list[Spec]:
    x, indices = required(inputs[0]), required(inputs[1])
    *lead, count = indices.shape
    if not 0 < count <= x.rank:
        raise ValueError(f"indices of {count} axes for rank {x.rank}")
    return [((*lead, *x.shape[count:]), x.dtype)]


def _points_gradient(op: Op, _: int, g: Tensor) -> Tensor:
    """The sum of `g` over the places of each index."""
    return emit("SCATTER_ND", op.input(1), g, np.array(op.input(0).shape, np.int32))


_BY_INDEX = (NOT_SUPPORTED, NOT_DIFFERENTIABLE)  # values, then indices


def _segments(code: str, inputs: int = 3, *, dynamic: bool = False) -> OpRow:
    return OpRow(code, gradients=_BY_INDEX, inputs=inputs, dynamic_output=dynamic)


def _no_gradient(code: str, inputs: int, outputs: int = 1) -> OpRow:
    return OpRow(code, gradients=(NOT_DIFFERENTIABLE,), inputs=inputs, outputs=outputs)


register(
    OpRow(
        "GATHER", gradients=(_gather_gradient, NOT_DIFFERENTIABLE), infer=_infer_gather,
        reference=_np_gather, options="GatherOptions", inputs=2,
        versions=(
            (7, has_type(I4)),
            (6, lambda op: op.y is I16),
            (5, lambda op: op.option("batchDims")),
            (4, has_type(I16)),
            (3, has_type(BOOL)),
            *INT8_2,
        ),
    ),
    OpRow(
        "GATHER_ND", gradients=(_points_gradient, NOT_DIFFERENTIABLE), infer=_infer_points,
        reference=lambda xs, _: [xs[0][tuple(np.moveaxis(xs[1], -1, 0))]],
        options="GatherNdOptions", inputs=2,
        versions=(
            (5, has_type(BOOL)),
            (4, lambda op: op.y is I16),
            (3, has_type(I16)),
            (2, has_type(STRING)),
        ),
    ),
    OpRow(
        "SCATTER_ND", integers=(0, 2),
        gradients=(
            NOT_DIFFERENTIABLE, lambda op, _, g: emit("GATHER_ND", g, op.input(0)),
            NOT_DIFFERENTIABLE,
        ),
        infer=_infer_scatter, reference=_np_scatter, options="ScatterNdOptions", inputs=3,
        size_input=2,
    ),
    OpRow(
        "ONE_HOT", integers=(0, 1),
        gradients=(NOT_DIFFERENTIABLE, NOT_DIFFERENTIABLE, _value_gradient, _value_gradient),
        infer=_infer_one_hot, reference=_np_one_hot, options="OneHotOptions",
        defaults={"axis": -1}, inputs=4, size_input=1,
    ),
    OpRow(
        "SPARSE_TO_DENSE", integers=(0, 1),
        gradients=(NOT_DIFFERENTIABLE, NOT_DIFFERENTIABLE, NOT_SUPPORTED),
        inputs=4, versions=((3, lambda op: op.z in (I8, U8)), (2, lambda op: op.z is I64)),
    ),
    _segments("SEGMENT_SUM", 2, dynamic=True),
    _segments("UNSORTED_SEGMENT_SUM", dynamic=True),
    _segments("UNSORTED_SEGMENT_MAX"),
    _segments("UNSORTED_SEGMENT_MIN"),
    _segments("UNSORTED_SEGMENT_PROD"),
    OpRow(
        "EMBEDDING_LOOKUP", gradients=(NOT_DIFFERENTIABLE, _lookup_gradient),
        infer=_infer_lookup, reference=lambda xs, _: [xs[1][xs[0]]], parameters={1: "weights"},
        weight_formats=("int8", "float16"), inputs=2,
        versions=((4, lambda op: op.y is I4 or op.per_channel(1)),),
    ),
    OpRow(
        "EMBEDDING_LOOKUP_SPARSE", gradients=(*[NOT_DIFFERENTIABLE] * 3, NOT_SUPPORTED), inputs=5
    ),
    OpRow("CONCAT_EMBEDDINGS"),
    OpRow("UNIQUE", gradients=_BY_INDEX, outputs=2, dynamic_output=True),
    _no_gradient("NON_MAX_SUPPRESSION_V4", 5, 2),
    _no_gradient("NON_MAX_SUPPRESSION_V5", 6, 3),
    _no_gradient("LSH_PROJECTION", 2),
    _no_gradient("SKIP_GRAM", 1),
    OpRow("HASHTABLE", gradients=(NOT_DIFFERENTIABLE,), inputs=0, any_types=True),
    OpRow(
        "HASHTABLE_FIND", gradients=(NOT_DIFFERENTIABLE,), inputs=3, takes_handle=True,
        returns_strings=True,
    ),
    OpRow(
        "HASHTABLE_IMPORT", gradients=(NOT_DIFFERENTIABLE,), inputs=3, outputs=0,
        takes_handle=True,
    ),
    OpRow("HASHTABLE_SIZE", gradients=(NOT_DIFFERENTIABLE,), takes_handle=True),
    OpRow(
        "HASHTABLE_LOOKUP", gradients=(NOT_DIFFERENTIABLE,), inputs=3, outputs=2,
        returns_strings=True,
    ),
    family="Lookup by index",
)  # fmt: skip
