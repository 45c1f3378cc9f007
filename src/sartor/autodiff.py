"""Reverse-mode differentiation of a TFLite graph, into more ops of the same graph.

The method is that of every tape (Griewank & Walther, *Evaluating Derivatives*, 2008, chapter 3):
ops are visited in reverse order, each op turns the gradient of its output into gradients of its
inputs, and the gradients of a tensor with several consumers are summed. The gradient rules are in
the rows of `sartor.ops`; this module names no op.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .errors import GradientError
from .graph import DType, Graph, Op, Tensor
from .ops import add, find_row, input_gradient, output_gradient, zeros_like

__all__ = ["gradients"]


def gradients(
    target: Tensor, sources: Sequence[Tensor], *, seed: Tensor | None = None
) -> list[Tensor]:
    """Emit the gradients of `target` with respect to each of `sources`.

    Args:
        target: float32 tensor. It has one element if `seed` is None.
        sources: float32 tensors of the same graph.
        seed: gradient of `target`, in its shape. Default: 1.

    Returns:
        For each source a tensor of its shape.

    Raises:
        GradientError: If the target does not depend on a source, the target has several elements
            and there is no seed, the seed has another shape, or an op between source and target
            has no gradient rule.
    """
    if seed is not None and seed.shape != target.shape:
        raise GradientError(
            f"the seed {seed!r} does not have the shape of the target {target!r}. Reshape it."
        )
    graph = target.graph
    forward = list(graph.ops)
    path = _find_path(forward, sources, target)
    for source in sources:
        if source not in path:
            raise GradientError(
                f"{target!r} does not depend on {source!r}, so it has no gradient. Leave it out."
            )
    gradients_of: dict[Tensor, list[Tensor]] = {target: [seed or _ones(graph, target)]}
    for op in reversed(forward):
        if path.intersection(op.inputs) and path.intersection(op.outputs):
            _propagate(op, path, gradients_of)
    return [_sum_gradients(source, gradients_of) for source in sources]


def _find_path(ops: Sequence[Op], sources: Sequence[Tensor], target: Tensor) -> set[Tensor]:
    """Return the tensors on a path from a source to the target.

    All are floats, or the integers of a quantization that the gradient passes straight through.
    """
    downstream = set(sources)
    for op in ops:
        if downstream.intersection(op.inputs):
            passes = find_row(op).straight_through
            downstream.update(t for t in op.outputs if t.dtype.is_float or passes)
    upstream = {target}
    for op in reversed(ops):
        if upstream.intersection(op.outputs):
            upstream.update(tensor for tensor in op.inputs if tensor is not None)
    return downstream & upstream


def _propagate(op: Op, path: set[Tensor], gradients_of: dict[Tensor, list[Tensor]]) -> None:
    """Turn the gradients of an op's outputs into gradients of its inputs."""
    if not any(output in gradients_of for output in op.outputs):
        return
    g: Tensor | list[Tensor]
    if len(op.outputs) == 1:
        g = output_gradient(op, _sum_gradients(op.output, gradients_of))
    else:
        g = [_gradient_or_zeros(output, gradients_of) for output in op.outputs]
    for index, tensor in enumerate(op.inputs):
        if tensor is not None and tensor in path:
            contribution = input_gradient(op, index, g)
            if contribution is not None:
                gradients_of.setdefault(tensor, []).append(contribution)


def _gradient_or_zeros(output: Tensor, gradients_of: dict[Tensor, list[Tensor]]) -> Tensor:
    """Return the gradient of one of several outputs: zeros if the target does not depend on it."""
    return _sum_gradients(output, gradients_of) if output in gradients_of else zeros_like(output)


def _sum_gradients(tensor: Tensor, gradients_of: dict[Tensor, list[Tensor]]) -> Tensor:
    """Sum the gradients from all consumers of a tensor."""
    if tensor not in gradients_of:
        raise GradientError(f"the gradient of {tensor!r} is zero everywhere: it cannot be trained.")
    total, *rest = gradients_of[tensor]
    for contribution in rest:
        total = add(total, contribution)
    gradients_of[tensor] = [total]
    return total


def _ones(graph: Graph, target: Tensor) -> Tensor:
    if target.size != 1 or target.dtype is not DType.FLOAT32:
        raise GradientError(
            f"{target!r} is not a float32 scalar. Sum it, or give its gradient (`seed`)."
        )
    return graph.constant(np.ones(target.shape, np.float32), "one")
