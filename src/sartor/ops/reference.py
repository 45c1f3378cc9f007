"""Running a graph in NumPy, in any precision: the reference that gradients are held against."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from ..errors import DataError, GradientError
from ..graph import Graph, Op, Tensor
from ._activation import activate
from .registry import row_of

__all__ = ["evaluate"]


def evaluate(
    graph: Graph, feeds: Mapping[Tensor, np.ndarray], *, dtype: type[np.floating] = np.float64
) -> dict[Tensor, np.ndarray]:
    """Run all ops of a graph.

    Args:
        graph: of ops that have a NumPy reference.
        feeds: a value for each input, and for any tensor that the graph need not make.
        dtype: the precision; float constants and feeds are converted to it.

    Returns:
        The value of each tensor.

    Raises:
        DataError: an input has no value.
        GradientError: an op has no NumPy reference.
    """
    values = {tensor: _to(np.asarray(value), dtype) for tensor, value in feeds.items()}
    missing = [tensor for tensor in graph.inputs if tensor not in values]
    if missing:
        raise DataError(f"no value is given for the inputs {missing}")
    for tensor in graph.tensors:
        if tensor.is_constant and tensor not in values:
            values[tensor] = _to(tensor.value, dtype)
    for op in graph.ops:
        if not all(tensor in values for tensor in op.outputs):
            values.update(zip(op.outputs, _run(op, values), strict=True))
    return values


def _run(op: Op, values: Mapping[Tensor, np.ndarray]) -> list[np.ndarray]:
    row = row_of(op)
    if row.reference is None:
        raise GradientError(f"{op!r} has no NumPy reference: give its output as a feed")
    inputs = [None if tensor is None else values[tensor] for tensor in op.inputs]
    outputs = [np.asarray(y) for y in row.reference(inputs, op.options)]
    return [activate(y, op.options) for y in outputs] if row.activation else outputs


def _to(value: np.ndarray, dtype: type[np.floating]) -> np.ndarray:
    return value.astype(dtype) if value.dtype.kind == "f" else value
