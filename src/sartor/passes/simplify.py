"""Simplify a graph without changing its outputs."""

from __future__ import annotations

import numpy as np

from ..graph import Graph, Op, Tensor
from ..ops import evaluate, has_reference

__all__ = ["fold_op", "simplify", "skip_identity"]

_MAX_GROWTH = 1024  # elements


def simplify(graph: Graph) -> None:
    """Fold constants, and remove multiplications by 1, equal ops, unused ops and tensor names.

    Ops without a NumPy reference, such as those on variables, do not change.
    """
    values: dict[tuple[object, ...], Tensor] = {}
    for op in list(graph.ops):
        if not has_reference(op):
            continue
        replacement = fold_op(graph, op) or skip_identity(op)
        replacement = replacement or values.setdefault(_key(op), op.output)
        if replacement is not op.output and op.output not in graph.outputs:
            graph.replace_uses(op.output, replacement)
    graph.prune()
    interface = {*graph.inputs, *graph.outputs}
    for tensor in graph.tensors:
        if tensor not in interface:
            tensor.name = ""  # names take a tenth of a file


def fold_op(graph: Graph, op: Op) -> Tensor | None:
    """Return the value of an op with a NumPy reference.

    Return None if an input is not constant, the op writes a variable, or the value would make the
    file much larger (a repeated or dequantized constant).
    """
    inputs = [tensor for tensor in op.inputs if tensor is not None]
    if op.output.quantization or op.output.is_variable:
        return None
    if not all(tensor.is_constant for tensor in inputs):
        return None
    if op.output.size > max(_MAX_GROWTH, 2 * sum(tensor.size for tensor in inputs)):
        return None
    op_graph = Graph()
    op_graph.tensors = inputs
    op_graph.ops = [op]
    value = evaluate(op_graph, {}, dtype=np.float32)[op.output]
    return graph.constant(value.astype(op.output.dtype.numpy), op.output.name)


def skip_identity(op: Op) -> Tensor | None:
    """Return `x` for `x · 1`, `1 · x` or `x / 1` of equal shape, else None."""
    if op.code not in ("MUL", "DIV") or op.options.get("fusedActivationFunction"):
        return None
    x, y = op.input(0), op.input(1)
    if _is_one(y) and x.shape == op.output.shape:
        return x
    if op.code == "MUL" and _is_one(x) and y.shape == op.output.shape:
        return y
    return None


def _is_one(tensor: Tensor) -> bool:
    return tensor.is_constant and tensor.dtype.is_float and bool((tensor.value == 1).all())


def _key(op: Op) -> tuple[object, ...]:
    options = tuple(sorted((name, repr(value)) for name, value in op.options.items()))
    return op.code, op.inputs, options
