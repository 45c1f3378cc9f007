"""Emit the graph of a head into another graph, for any number of rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ..errors import ConversionError
from ..graph import Graph, Op, Tensor
from ..ops import emit_any_batch, reshape
from ._dropout import DropoutMasks
from ._prepare_graph import describe_op

__all__ = ["FIRST_MARKER_ALPHA", "dropout_markers", "emit_graph"]

FIRST_MARKER_ALPHA = -1000.0
"""A LEAKY_RELU with this `alpha` or a lower one marks the position of a dropout layer."""


def dropout_markers(graph: Graph) -> list[Op]:
    """Return the ops that mark dropout layers."""
    return [op for op in graph.ops if op.code == "LEAKY_RELU" and _is_marker(op)]


def emit_graph(
    graph: Graph,
    features: Sequence[Tensor],
    parameters: Mapping[tuple[Op, int], Tensor],
    end: Tensor,
    *,
    rates: Sequence[float] = (),
    masks: DropoutMasks | None = None,
) -> Tensor:
    """Emit the ops up to `end` into the graph of the features.

    Args:
        graph: graph of a head, from `prepare_graph`.
        features: a tensor [N, …] for each of its inputs.
        parameters: replacements of constants, by the op and the index of its input.
        end: the tensor of `graph` to compute.
        rates: dropout rate of each marker; empty if LEAKY_RELU ops are not markers.
        masks: dropout masks of a training step. Default: no dropout.

    Raises:
        ConversionError: If the graph mixes the batch axis with others.
    """
    target = features[0].graph
    values = dict(zip(graph.inputs, features, strict=True))
    batch, rows = graph.inputs[0].shape[0], features[0].shape[0]
    for op in graph.ops:
        if end in values:
            break
        inputs = [
            _operand(target, tensor, values, parameters.get((op, index)))
            for index, tensor in enumerate(op.inputs)
        ]
        results = _emit_op(op, inputs, batch, rates, masks)
        for output, result in zip(op.outputs, results, strict=True):
            first, *rest = output.shape or (0,)
            if first % batch or result.shape != (rows * first // batch, *rest):
                raise ConversionError(f"{describe_op(op)}, mixes the batch with other axes")
            values[output] = result
    return values[end]


def _operand(
    target: Graph,
    tensor: Tensor | None,
    values: Mapping[Tensor, Tensor],
    parameter: Tensor | None,
) -> Tensor | None:
    """Return the input of an op in the target graph."""
    if tensor is None or parameter is not None:
        return parameter
    return target.constant(tensor.value, tensor.name) if tensor.is_constant else values[tensor]


def _emit_op(
    op: Op,
    inputs: Sequence[Tensor | None],
    batch: int,
    rates: Sequence[float],
    masks: DropoutMasks | None,
) -> tuple[Tensor, ...]:
    x = inputs[0]
    if x is not None and op.code == "LEAKY_RELU" and rates and _is_marker(op):
        rate = rates[round(FIRST_MARKER_ALPHA - op.options["alpha"])]
        return (x if masks is None else _drop(x, rate, masks),)
    return emit_any_batch(op, inputs, batch)


def _is_marker(op: Op) -> bool:
    return bool(op.options.get("alpha", 0.0) <= FIRST_MARKER_ALPHA)


def _drop(x: Tensor, rate: float, masks: DropoutMasks) -> Tensor:
    """Apply dropout to [N, …]."""
    if x.rank == 2:
        return masks.drop(x, rate)
    rows = reshape(x, (-1, x.size // x.shape[0]))
    return reshape(masks.drop(rows, rate), (-1, *x.shape[1:]))
