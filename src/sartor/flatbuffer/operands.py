"""The operands of an op: number, presence and types.

Several kernels, and the delegate that LiteRT applies first, read an input before they check that
it is there, and read handles and strings as numbers.
"""

from __future__ import annotations

from ..graph import DType, Op, Tensor
from ..ops import OpRow, find_row

__all__ = ["find_operand_error", "needs_shape_only"]

_INTEGERS = (DType.INT32, DType.INT64)
_MOST_SIZES = 8  # no kernel takes more axes
_HANDLES = (DType.RESOURCE, DType.VARIANT)


def find_operand_error(op: Op) -> str | None:
    """Return what is wrong with the operands of an op, or None.

    Example: `has 1 inputs, expected at least 2`.
    """
    row = find_row(op)
    return (
        _count_error(op, row) or _type_error(op, row) or _integer_error(op, row) or _shape_error(op)
    )


def _count_error(op: Op, row: OpRow) -> str | None:
    if len(op.inputs) < row.inputs:
        return f"has {len(op.inputs)} inputs, expected at least {row.inputs}"
    if len(op.outputs) < row.outputs:
        return f"has {len(op.outputs)} outputs, expected at least {row.outputs}"
    option = row.output_count
    if option is not None and op.options.get(option, 0) != len(op.outputs):
        return f"has {len(op.outputs)} outputs, expected {op.options.get(option, 0)} ({option})"
    for index, tensor in enumerate(op.inputs[: row.optional_from]):
        if tensor is None:
            return f"does not have input {index}, which is required"
    return None


def _type_error(op: Op, row: OpRow) -> str | None:
    if row.any_types:
        return None
    for tensor in op.inputs[row.takes_handle :]:
        if tensor is not None and tensor.dtype in _HANDLES:
            return f"takes {tensor!r}, expected numbers"
    types = {tensor.dtype for tensor in op.inputs if tensor is not None}
    for tensor in op.outputs:
        strings = row.returns_strings or DType.STRING in types
        if tensor.dtype in _HANDLES or (tensor.dtype is DType.STRING and not strings):
            return f"returns {tensor!r}, expected numbers"
    return None


def _integer_error(op: Op, row: OpRow) -> str | None:
    """Some kernels read sizes and axes as integers whatever their type is."""
    for index in row.integers:
        tensor = op.inputs[index] if index < len(op.inputs) else None
        if tensor is None or needs_shape_only(op, index, tensor):
            continue
        if tensor.dtype not in _INTEGERS:
            return f"takes {tensor!r} as input {index}, expected INT32 or INT64"
        if index == row.shape_input and tensor.size > _MOST_SIZES:
            return f"takes a shape of {tensor.size} sizes, expected at most {_MOST_SIZES}"
    return None


def needs_shape_only(op: Op, index: int, tensor: Tensor) -> bool:
    """Return True for the second input of an old RESHAPE, of which LiteRT uses the shape only."""
    return (
        op.code == "RESHAPE"
        and index == 1
        and tensor.rank != 1
        and tensor.data is None
        and tensor.producer is None
    )


def _shape_error(op: Op) -> str | None:
    """LOG_SOFTMAX reads along the last axis before it checks that there is one."""
    if op.code != "LOG_SOFTMAX" or (op.input(0).rank and op.input(0).shape[-1]):
        return None
    return f"takes {op.input(0)!r}, expected elements along a last axis"
