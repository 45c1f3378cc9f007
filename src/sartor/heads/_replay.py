"""A head's graph, emitted again for any number of rows."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ..errors import ConversionError
from ..graph import Graph, Op, Tensor
from ..ops import emit, linear, reshape, slice_
from ..ops._activation import OPTION
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
    if op.code in _ANY_ROWS:
        return _ANY_ROWS[op.code](op, inputs, batch)
    return emit(op.code, *inputs, name=op.output.name, **op.options)


def _is_mark(op: Op) -> bool:
    return bool(op.options.get("alpha", 0.0) <= FIRST_MARK)


def _dropped(x: Tensor, rate: float, masks: Masks | None) -> Tensor:
    if masks is None:
        return x
    if x.rank == 2:
        return masks.drop(x, rate)
    rows = reshape(x, (-1, x.size // x.shape[0]))
    return reshape(masks.drop(rows, rate), (-1, *x.shape[1:]))


def _reshape(op: Op, inputs: Sequence[Tensor | None], batch: int) -> Tensor:
    """The shape that the file states, which may also be computed; the batch left open."""
    return reshape(_given(inputs[0]), (-1, *op.output.shape[1:]), name=op.output.name)


def _slice(op: Op, inputs: Sequence[Tensor | None], batch: int) -> Tensor:
    """All rows, however many."""
    begin, size = (op.input(index).value.tolist() for index in (1, 2))
    return slice_(_given(inputs[0]), begin, [-1 if size[0] == batch else size[0], *size[1:]])


def _strided_slice(op: Op, inputs: Sequence[Tensor | None], batch: int) -> Tensor:
    options: dict[str, Any] = dict(op.options)
    if op.input(0).shape[0] == op.output.shape[0]:
        options["beginMask"] = options.get("beginMask", 0) | 1
        options["endMask"] = options.get("endMask", 0) | 1
    return emit(op.code, *inputs, name=op.output.name, **options)


def _dense(op: Op, inputs: Sequence[Tensor | None], batch: int) -> Tensor:
    """The fast form for weights that are no constant; its bias carries the activation."""
    x, weights, bias = (_given(tensor) for tensor in inputs)
    if x.rank != 2 or weights.is_constant:
        options = {**op.options, "asymmetricQuantizeInputs": False}
        return emit(op.code, x, weights, bias, name=op.output.name, **options)
    fused = {OPTION: op.options.get(OPTION, 0)}
    return emit("ADD", linear(x, weights), bias, name=op.output.name, **fused)


def _given(tensor: Tensor | None) -> Tensor:
    if tensor is None:
        raise ValueError("an input is left out")
    return tensor


_ANY_ROWS: Mapping[str, Callable[[Op, Sequence[Tensor | None], int], Tensor]] = {
    "FULLY_CONNECTED": _dense,
    "RESHAPE": _reshape,
    "SLICE": _slice,
    "STRIDED_SLICE": _strided_slice,
}
