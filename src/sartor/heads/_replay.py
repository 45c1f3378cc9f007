"""A head's graph, emitted again for any number of rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ..errors import ConversionError
from ..graph import Graph, Op, Tensor
from ..ops import emit_any_batch, reshape
from ._dropout import Masks
from ._head_graph import called

__all__ = ["FIRST_MARK", "marks", "replay"]

FIRST_MARK = -1000.0
"""LEAKY_RELUs of this `alpha` and below are no such ops, but mark where units are dropped."""


def marks(graph: Graph) -> list[Op]:
    """The ops that mark where units are dropped."""
    return [op for op in graph.ops if op.code == "LEAKY_RELU" and _is_mark(op)]


def replay(
    graph: Graph,
    features: Sequence[Tensor],
    parameters: Mapping[tuple[Op, int], Tensor],
    end: Tensor,
    *,
    rates: Sequence[float] = (),
    masks: Masks | None = None,
) -> Tensor:
    """Emit what makes `end` into the graph of the features.

    Args:
        graph: as `open_graph` gives it.
        features: [N, …] for each of its inputs.
        parameters: what stands for a constant, by the op that takes it.
        end: of `graph`.
        rates: what part of the units each mark drops; LEAKY_RELU is itself without any.
        masks: of a training step; else nothing is dropped.

    Raises:
        ConversionError: the graph mixes the batch with other axes.
    """
    here = features[0].graph
    made = dict(zip(graph.inputs, features, strict=True))
    batch, rows = graph.inputs[0].shape[0], features[0].shape[0]
    for op in graph.ops:
        if end in made:
            break
        inputs = [
            _operand(here, tensor, made, parameters.get((op, index)))
            for index, tensor in enumerate(op.inputs)
        ]
        result = _emit(op, inputs, batch, rates, masks)
        first, *rest = op.output.shape or (0,)
        if first % batch or result.shape != (rows * first // batch, *rest):
            raise ConversionError(f"{called(op)}, mixes the batch with other axes")
        made[op.output] = result
    return made[end]


def _operand(
    here: Graph, tensor: Tensor | None, made: Mapping[Tensor, Tensor], parameter: Tensor | None
) -> Tensor | None:
    if tensor is None or parameter is not None:
        return parameter
    return here.constant(tensor.value, tensor.name) if tensor.is_constant else made[tensor]


def _emit(
    op: Op,
    inputs: Sequence[Tensor | None],
    batch: int,
    rates: Sequence[float],
    masks: Masks | None,
) -> Tensor:
    x = inputs[0]
    if x is not None and op.code == "LEAKY_RELU" and rates and _is_mark(op):
        return _dropped(x, rates[round(FIRST_MARK - op.options["alpha"])], masks)
    return emit_any_batch(op, inputs, batch)


def _is_mark(op: Op) -> bool:
    return bool(op.options.get("alpha", 0.0) <= FIRST_MARK)


def _dropped(x: Tensor, rate: float, masks: Masks | None) -> Tensor:
    if masks is None:
        return x
    if x.rank == 2:
        return masks.drop(x, rate)
    rows = reshape(x, (-1, x.size // x.shape[0]))
    return reshape(masks.drop(rows, rate), (-1, *x.shape[1:]))
