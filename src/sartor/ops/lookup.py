"""Lookup by index: gather, scatter, segments, embeddings and hash tables."""

from __future__ import annotations

from ._versions import BOOL, I4, I8, I16, I64, INT8_2, STRING, U8, has_type
from .registry import NOT_DIFFERENTIABLE, NOT_SUPPORTED, OpRow, register

_BY_INDEX = (NOT_SUPPORTED, NOT_DIFFERENTIABLE)  # values, then indices


def _segments(code: str, inputs: int = 3, *, dynamic: bool = False) -> OpRow:
    return OpRow(code, gradients=_BY_INDEX, inputs=inputs, dynamic_output=dynamic)


def _no_gradient(code: str, inputs: int, outputs: int = 1) -> OpRow:
    return OpRow(code, gradients=(NOT_DIFFERENTIABLE,), inputs=inputs, outputs=outputs)


register(
    OpRow(
        "GATHER", gradients=_BY_INDEX, inputs=2,
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
        gradients=(NOT_DIFFERENTIABLE, NOT_SUPPORTED, NOT_DIFFERENTIABLE), inputs=3,
        size_input=2,
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
        "EMBEDDING_LOOKUP", gradients=(NOT_DIFFERENTIABLE, NOT_SUPPORTED),
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
