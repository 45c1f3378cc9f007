"""Lookup by index: gather, scatter, segments, embeddings and hash tables."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ..graph import Op, Tensor
from ._shapes import constant_ints, normalize_axes, required
from ._versions import BOOL, I4, I8, I16, I64, INT8_2, STRING, U8, has_type
from .builder import emit
from .contraction import matmul
from .registry import NOT_DIFFERENTIABLE, NOT_SUPPORTED, OpRow, Spec, register
from .shape import reshape, reshape_like


def _infer_gather(inputs: Sequence[Tensor | None], options: Mapping[str, Any]) -> list[Spec]:
    x, indices, axis = required(inputs[0]), required(inputs[1]), _axis(inputs, options)
    if options.get("batchDims"):
        raise ValueError("batchDims is not supported")
    return [((*x.shape[:axis], *indices.shape, *x.shape[axis + 1 :]), x.dtype)]


def _axis(inputs: Sequence[Any], options: Mapping[str, Any]) -> int:
    return normalize_axes([options.get("axis", 0)], len(inputs[0].shape))[0]


def _gather_gradient(op: Op, _: int, g: Tensor) -> Tensor:
    """The sum of `g` over the places of each index."""
    if op.options.get("batchDims"):
        raise ValueError("batchDims is not supported")
    x, indices, axis = op.input(0), op.input(1), _axis(op.inputs, op.options)
    if axis == 0:
        return _scatter(g, indices, x)
    if not indices.is_constant:
        raise ValueError(f"indices along axis {axis} must be a constant")
    count, tail = x.shape[axis], math.prod(x.shape[axis + 1 :])
    chosen = np.eye(count, dtype=np.float32)[indices.value.reshape(-1)]
    rows = reshape(g, (-1, indices.size, tail))
    return reshape_like(matmul(chosen.T, rows), x)


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


def _infer_scatter(inputs: Sequence[Tensor | None], _: Mapping[str, Any]) -> list[Spec]:
    return [(constant_ints(inputs[2]), required(inputs[1]).dtype)]


def _np_scatter(xs: Sequence[Any], _: Mapping[str, Any]) -> list[np.ndarray]:
    indices, updates, shape = xs
    y = np.zeros([int(n) for n in shape], updates.dtype)
    np.add.at(y, tuple(np.moveaxis(indices, -1, 0)), updates)
    return [y]


_BY_INDEX = (NOT_SUPPORTED, NOT_DIFFERENTIABLE)  # values, then indices


def _segments(code: str, inputs: int = 3, *, dynamic: bool = False) -> OpRow:
    return OpRow(code, gradients=_BY_INDEX, inputs=inputs, dynamic_output=dynamic)


def _no_gradient(code: str, inputs: int, outputs: int = 1) -> OpRow:
    return OpRow(code, gradients=(NOT_DIFFERENTIABLE,), inputs=inputs, outputs=outputs)


register(
    OpRow(
        "GATHER", gradients=(_gather_gradient, NOT_DIFFERENTIABLE), infer=_infer_gather,
        reference=lambda xs, o: [np.take(xs[0], xs[1], _axis(xs, o))], options="GatherOptions",
        inputs=2,
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
        "GATHER_ND", gradients=_BY_INDEX, inputs=2,
        versions=(
            (5, has_type(BOOL)),
            (4, lambda op: op.y is I16),
            (3, has_type(I16)),
            (2, has_type(STRING)),
        ),
    ),
    OpRow(
        "SCATTER_ND", integers=(0, 2),
        gradients=(NOT_DIFFERENTIABLE, NOT_SUPPORTED, NOT_DIFFERENTIABLE), infer=_infer_scatter,
        reference=_np_scatter, options="ScatterNdOptions", inputs=3, size_input=2,
    ),
    OpRow(
        "ONE_HOT", integers=(0, 1),
        gradients=(NOT_DIFFERENTIABLE, NOT_DIFFERENTIABLE, NOT_SUPPORTED, NOT_SUPPORTED),
        inputs=4, size_input=1,
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
