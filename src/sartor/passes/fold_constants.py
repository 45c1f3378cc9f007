"""Fold constants in a graph that is used on its own."""

from __future__ import annotations

from ..graph import Graph, Op, Tensor
from ..ops import has_reference
from .simplify import fold_op, skip_identity

__all__ = ["fold_constants"]


def fold_constants(graph: Graph) -> None:
    """Fold constants, and remove `x · 1`, `x / 1`, `x + 0`, `x − 0` and unused ops.

    Unlike `simplify`, it keeps the names of tensors and also removes the last op.
    """
    for op in list(graph.ops):
        if has_reference(op):
            replacement = fold_op(graph, op) or skip_identity(op) or _skip_zero(op)
            if replacement is not None:
                graph.replace_uses(op.output, replacement)
    graph.prune()


def _skip_zero(op: Op) -> Tensor | None:
    """Return `x` for `x + 0`, `0 + x` or `x − 0` of equal shape, else None."""
    if op.code not in ("ADD", "SUB") or op.options.get("fusedActivationFunction"):
        return None
    x, y = op.input(0), op.input(1)
    if _is_zero(y) and x.shape == op.output.shape:
        return x
    return y if op.code == "ADD" and _is_zero(x) and y.shape == op.output.shape else None


def _is_zero(tensor: Tensor) -> bool:
    return tensor.is_constant and tensor.dtype.is_float and not tensor.value.any()
