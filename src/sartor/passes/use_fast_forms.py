"""Emit layers whose weights are variables in ops that LiteRT runs fast."""

from __future__ import annotations

from ..graph import Graph, Op, Tensor
from ..ops import find_row

__all__ = ["use_fast_forms"]


def use_fast_forms(graph: Graph) -> None:
    """Replace convolutions whose weights are not constant by matrix products.

    Before: `CONV_2D` with the value of a variable as weights, for which LiteRT has no fast kernel.
    After: the windows as rows, and BATCH_MATMUL. The gradient has the same rows, so that
    `simplify` computes them once.
    """
    for op in list(graph.ops):
        graph.replace(op, _fast_form)


def _fast_form(op: Op) -> list[Tensor] | None:
    row = find_row(op)
    if row.fast_form is None or row.weights is None or op.input(row.weights.input).is_constant:
        return None
    return [row.fast_form(op, op.inputs)]
