"""Merge the ops around dense layers into their weights and biases."""

from __future__ import annotations

from collections.abc import Callable

from ..graph import Graph, Op, Tensor
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
    return any(graph.replace(op, _outputs(rule)) for rule in DENSE_RULES)


def _outputs(rule: Callable[[Op], Tensor | None]) -> Callable[[Op], list[Tensor] | None]:
    """Return the rule with a list as result."""

    def emit(op: Op) -> list[Tensor] | None:
        replacement = rule(op)
        return None if replacement is None else [replacement]

    return emit
