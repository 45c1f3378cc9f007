"""NumPy evaluation of a graph, in any precision: the reference for gradients."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from ..errors import DataError, GradientError
from ..graph import Graph, Op, Tensor
from ._activation import activate
from ._versions import count_scales
from .registry import find_row

__all__ = ["evaluate", "has_reference"]


def has_reference(op: Op) -> bool:
    """Return True if NumPy can compute the op's only output from its inputs.

    References compute in floats: they do not apply to the integers of a quantized op.
    """
    if find_row(op).reference is None or len(op.outputs) != 1:
        return False
    return not any(count_scales(tensor) for tensor in (*op.inputs, op.output) if tensor)


def evaluate(
    graph: Graph, feeds: Mapping[Tensor, np.ndarray], *, dtype: type[np.floating] = np.float64
) -> dict[Tensor, np.ndarray]:
    """Run all ops of a graph.

    Args:
        graph: graph of ops that have a NumPy reference.
        feeds: value of each input, and of any tensor that need not be computed.
        dtype: precision, to which float constants and feeds are converted.

    Returns:
        The value of each tensor.

    Raises:
        DataError: If an input has no value.
        GradientError: If an op has no NumPy reference.
    """
    values = {tensor: _to(np.asarray(value), dtype) for tensor, value in feeds.items()}
    missing = [tensor for tensor in graph.inputs if tensor not in values]
    if missing:
        raise DataError(f"`feeds` has no value for the inputs {missing}. Add one for each.")
    for tensor in graph.tensors:
        if tensor.is_constant and tensor not in values:
            values[tensor] = _to(tensor.value, dtype)
    for op in graph.ops:
        if not all(tensor in values for tensor in op.outputs):
            values.update(zip(op.outputs, _run(op, values), strict=True))
    return values


def _run(op: Op, values: Mapping[Tensor, np.ndarray]) -> list[np.ndarray]:
    row = find_row(op)
    if row.reference is None:
        raise GradientError(f"{op!r} has no NumPy reference. Add its output to `feeds`.")
    inputs = [None if tensor is None else values[tensor] for tensor in op.inputs]
    outputs = [np.asarray(y) for y in row.reference(inputs, op.options)]
    return [activate(y, op.options) for y in outputs] if row.activation else outputs


def _to(value: np.ndarray, dtype: type[np.floating]) -> np.ndarray:
    return value.astype(dtype, copy=False) if value.dtype.kind == "f" else value
