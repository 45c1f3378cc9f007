"""Make what the passes emitted smaller, without changing a value that anyone sees."""

from __future__ import annotations

import numpy as np

from ..graph import Graph, Op, Tensor
from ..ops import evaluate, has_reference

__all__ = ["folded", "simplify", "without_effect"]


def simplify(graph: Graph) -> None:
    """Fold constants, drop multiplications by one, merge equal ops, prune, and drop names.

    Ops without a NumPy reference (variables, anything that Sartor does not know) are left alone.
    """
    seen: dict[tuple[object, ...], Tensor] = {}
    for op in list(graph.ops):
        if not has_reference(op):
            continue
        replacement = folded(graph, op) or without_effect(op)
        replacement = replacement or seen.setdefault(_key(op), op.output)
        if replacement is not op.output and op.output not in graph.outputs:
            graph.replace_uses(op.output, replacement)
    graph.prune()
    ends = {*graph.inputs, *graph.outputs}
    for tensor in graph.tensors:
        if tensor not in ends:
            tensor.name = ""  # says no more than the op that makes it, and takes a tenth of a file


def folded(graph: Graph, op: Op) -> Tensor | None:
    """Return the value of an op with a NumPy reference, or None if an input is not constant."""
    inputs = [tensor for tensor in op.inputs if tensor is not None]
    if op.output.quantization or not all(tensor.is_constant for tensor in inputs):
        return None
    alone = Graph()
    alone.tensors = inputs
    alone.ops = [op]
    value = evaluate(alone, {}, dtype=np.float32)[op.output]
    return graph.constant(value.astype(op.output.dtype.numpy), op.output.name)


def without_effect(op: Op) -> Tensor | None:
    """`x`, where the op is `x · 1`, `1 · x` or `x / 1` and keeps its shape, else None."""
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
