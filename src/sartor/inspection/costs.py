"""The cost of one inference: multiply-adds of each op, and the memory of activations."""

from __future__ import annotations

from collections.abc import Iterable

from ..graph import Graph, Op, Tensor
from ..ops import find_row

__all__ = ["activation_bytes", "multiply_adds"]


def multiply_adds(op: Op) -> int | None:
    """Return the multiply-adds of one run of an op; 0 for an op that multiplies no matrices.

    They are counted as papers count them: with padding, without biases and activations.

    Returns:
        None for an op whose work the file does not state, such as a custom op or a loop.
    """
    try:
        return find_row(op).multiply_adds(op)
    except (IndexError, ValueError, ZeroDivisionError):  # shapes that no kernel would take
        return None


def activation_bytes(graph: Graph, values: Iterable[Tensor]) -> int:
    """Return the peak memory of tensors, each stored from its op to its last use."""
    last = {tensor: i for i, op in enumerate(graph.ops) for tensor in op.inputs if tensor}
    last.update(dict.fromkeys(graph.outputs, len(graph.ops)))
    sizes = {tensor: tensor.size * (tensor.dtype.bits or 0) // 8 for tensor in values}
    alive = {tensor for tensor in graph.inputs if tensor in sizes}
    most = sum(sizes[tensor] for tensor in alive)
    for index, op in enumerate(graph.ops):
        alive.update(tensor for tensor in op.outputs if tensor in sizes)
        most = max(most, sum(sizes[tensor] for tensor in alive))
        alive = {tensor for tensor in alive if last.get(tensor, -1) > index}
    return most
