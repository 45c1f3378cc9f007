"""The memory of the activations of one inference."""

from __future__ import annotations

from collections.abc import Iterable

from ..graph import Graph, Tensor

__all__ = ["activation_bytes"]


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
