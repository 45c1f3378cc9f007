"""Keep the batch axis in the graph of a head."""

from __future__ import annotations

from ..graph import Graph, Op, Tensor
from ..ops import find_row, infer_outputs

__all__ = ["keep_batch_axis"]


def keep_batch_axis(graph: Graph) -> None:
    """Remove each RESHAPE from [1, …] to […] whose result elementwise ops broadcast to [1, …].

    TensorFlow's converter writes such a RESHAPE into a sum of two layers if the batch is 1. With
    more rows the batch axis would be missing.
    """
    if graph.inputs[0].shape[0] != 1:
        return
    for op in list(graph.ops):
        if op.code == "RESHAPE" and op.output.shape == op.input(0).shape[1:] != (1,):
            users = _elementwise_users(op.output)
            if users is None or op.output in graph.outputs:
                continue
            graph.replace_uses(op.output, op.input(0))
            for user in graph.ops:
                if user in users:
                    ((user.output.shape, _),) = infer_outputs(user.code, user.inputs, user.options)
    graph.prune()


def _elementwise_users(tensor: Tensor) -> set[Op] | None:
    """Return the elementwise ops that use a tensor without a batch axis.

    Return None if another op does that needs its shape.
    """
    users: set[Op] = set()
    reached = [tensor]
    for current in reached:
        for op in current.consumers:
            if op.code in _ANY_SHAPE or op in users:
                continue
            if not find_row(op).broadcasts:
                return None
            users.add(op)
            if op.output.rank == tensor.rank:  # no other operand has the batch axis
                reached.append(op.output)
    return users


_ANY_SHAPE = ("RESHAPE", "FULLY_CONNECTED")
"""Ops whose output does not depend on whether the input has an axis of 1 more."""
