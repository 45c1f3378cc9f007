"""Copy a graph."""

from __future__ import annotations

from copy import copy

from .graph import Graph
from .op import Op
from .tensor import Tensor

__all__ = ["copy_graph"]


def copy_graph(graph: Graph) -> tuple[Graph, dict[Tensor, Tensor]]:
    """Return a copy of a graph, and tensor → its copy.

    The data of constants is shared, and so are the graphs that ops call.
    """
    new = Graph(graph.name)
    new.opaque = dict(graph.opaque)
    copies = {tensor: copy(tensor) for tensor in graph.tensors}
    for tensor in copies.values():
        tensor.graph, tensor.producer, tensor.consumers = new, None, []
    new.tensors = list(copies.values())
    new.inputs = [copies[tensor] for tensor in graph.inputs]
    new.outputs = [copies[tensor] for tensor in graph.outputs]
    for op in graph.ops:
        added = Op(
            op.code,
            [None if tensor is None else copies[tensor] for tensor in op.inputs],
            [copies[tensor] for tensor in op.outputs],
            options=op.options,
            options_type=op.options_type,
            custom_code=op.custom_code,
            version=op.version,
            opaque=op.opaque,
        )
        added.intermediates = tuple(copies[tensor] for tensor in op.intermediates)
        new.add(added)
    return new, copies
