"""Reverse-mode differentiation of a TFLite graph, into more ops of the same graph.

The method is that of every tape (Griewank & Walther, *Evaluating Derivatives*, 2008, chapter 3):
ops are visited against the order in which they run, each turns the gradient of its output into
gradients of its inputs, and a tensor that several ops use sums what they send back. What an op's
gradient is stands in its row of `sartor.ops`; nothing here names an op.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .errors import GradientError
from .graph import DType, Graph, Op, Tensor
from .ops import add, input_gradient, output_gradient

__all__ = ["gradients"]


def gradients(
    target: Tensor, sources: Sequence[Tensor], *, seed: Tensor | None = None
) -> list[Tensor]:
    """Emit the gradients of `target` with respect to each of `sources`.

    Args:
        target: float32; of one element, unless there is a seed.
        sources: float32 tensors of the same graph.
        seed: the gradient of `target`, in its shape; 1 if left out.

    Returns:
        For each source a tensor of its shape.

    Raises:
        GradientError: the target does not depend on a source, the target is no scalar and there
            is no seed, the seed has another shape, or an op between the two has no gradient rule.
    """
    if seed is not None and seed.shape != target.shape:
        raise GradientError(f"the seed {seed!r} must have the shape of the target {target!r}.")
    graph = target.graph
    forward = list(graph.ops)
    between = _between(forward, sources, target)
    for source in sources:
        if source not in between:
            raise GradientError(
                f"{target!r} does not depend on {source!r}, which is to be trained."
            )
    received: dict[Tensor, list[Tensor]] = {target: [seed or _ones(graph, target)]}
    for op in reversed(forward):
        if between.intersection(op.inputs) and between.intersection(op.outputs):
            _send_back(op, between, received)
    return [_total(source, received) for source in sources]


def _between(ops: Sequence[Op], sources: Sequence[Tensor], target: Tensor) -> set[Tensor]:
    """The float tensors on a path from a source to the target."""
    downstream = set(sources)
    for op in ops:
        if downstream.intersection(op.inputs):
            downstream.update(tensor for tensor in op.outputs if tensor.dtype.is_float)
    upstream = {target}
    for op in reversed(ops):
        if upstream.intersection(op.outputs):
            upstream.update(tensor for tensor in op.inputs if tensor is not None)
    return downstream & upstream


def _send_back(op: Op, between: set[Tensor], received: dict[Tensor, list[Tensor]]) -> None:
    """Turn the gradient of an op's output into gradients of its inputs."""
    if len(op.outputs) != 1:
        raise GradientError(f"{op!r} has several outputs: its gradient is not yet supported.")
    if op.output not in received:
        return
    g = output_gradient(op, _total(op.output, received))
    for index, tensor in enumerate(op.inputs):
        if tensor is not None and tensor in between:
            contribution = input_gradient(op, index, g)
            if contribution is not None:
                received.setdefault(tensor, []).append(contribution)


def _total(tensor: Tensor, received: dict[Tensor, list[Tensor]]) -> Tensor:
    """Sum what the consumers of a tensor sent back: the one place where gradients meet."""
    if tensor not in received:
        raise GradientError(f"the gradient of {tensor!r} is zero everywhere: it cannot be trained.")
    total, *rest = received[tensor]
    for contribution in rest:
        total = add(total, contribution)
    received[tensor] = [total]
    return total


def _ones(graph: Graph, target: Tensor) -> Tensor:
    if target.size != 1 or target.dtype is not DType.FLOAT32:
        raise GradientError(
            f"{target!r} is no float32 scalar: name the gradient to start from (`seed`), "
            "or sum it first."
        )
    return graph.constant(np.ones(target.shape, np.float32), "one")
