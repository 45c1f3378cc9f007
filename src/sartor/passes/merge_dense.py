"""Merge the ops around dense layers into their weights and biases."""

from __future__ import annotations

from ..graph import Graph, Op
from ._dense_rules import DENSE_RULES

__all__ = ["merge_dense"]


def merge_dense(graph: Graph) -> None:
    """Rewrite until each dense layer is one FULLY_CONNECTED with a bias, as kernels expect.

    Before: products, factors and additions around constant weights, such as normalization and
    temperature. After: factors and centers are part of the weights and the bias. A computed factor
    of the whole row moves behind the layer, to C products instead of F. A sum of squares becomes a
    product of the row with itself, the only form in which integers keep small addends.

    Args:
        graph: a graph of one row; changed in place.
    """
    while any(_rewrite(graph, op) for op in list(graph.ops)):
        graph.prune()


def _rewrite(graph: Graph, op: Op) -> bool:
    """Replace an op by the result of the first rule that applies; return False if none does."""
    for rule in DENSE_RULES:
        start = len(graph.ops)
        replacement = rule(op)
        if replacement is not None:
            _move_ops(graph, start, op)
            replacement.name = op.output.name
            graph.replace_uses(op.output, replacement)
            graph.remove([op])
            return True
    return False


def _move_ops(graph: Graph, start: int, before: Op) -> None:
    """Move the ops from index `start` on to the position of another op."""
    new_ops, graph.ops = graph.ops[start:], graph.ops[:start]
    position = graph.ops.index(before)
    graph.ops[position:position] = new_ops
