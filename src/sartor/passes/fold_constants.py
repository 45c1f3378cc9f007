"""Compute once what every call would compute again, and drop what changes nothing."""

from __future__ import annotations

from ..graph import Graph, Op, Tensor
from ..ops import has_reference
from .simplify import folded, without_effect

__all__ = ["fold_constants"]


def fold_constants(graph: Graph) -> None:
    """Fold constants, drop `x · 1`, `x / 1`, `x + 0` and `x − 0`, and prune.

    Unlike `simplify` it keeps the names of tensors, and drops the last op, too: for a graph that
    is to be used by itself.
    """
    for op in list(graph.ops):
        if has_reference(op):
            replacement = folded(graph, op) or without_effect(op) or _plus_nothing(op)
            if replacement is not None:
                graph.replace_uses(op.output, replacement)
    graph.prune()


def _plus_nothing(op: Op) -> Tensor | None:
    """`x`, where the op is `x + 0`, `0 + x` or `x − 0` and keeps its shape."""
    if op.code not in ("ADD", "SUB") or op.options.get("fusedActivationFunction"):
        return None
    x, y = op.input(0), op.input(1)
    if _is_zero(y) and x.shape == op.output.shape:
        return x
    return y if op.code == "ADD" and _is_zero(x) and y.shape == op.output.shape else None


def _is_zero(tensor: Tensor) -> bool:
    return tensor.is_constant and tensor.dtype.is_float and not tensor.value.any()
