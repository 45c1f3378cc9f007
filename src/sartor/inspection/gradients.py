"""How far gradients come back from the outputs, by asking the rules themselves."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from ..autodiff import gradients
from ..errors import GradientError
from ..graph import DType, Graph, Op, Tensor
from ..ops import GradientSupport, find_row
from .base import BaseGraph, called, is_real
from .records import LayerFacts, StopFacts

__all__ = ["Backward", "row_states"]

_RULE = "rule"
# A layer that is trained is dequantized: then these have nothing left to do.
_BETWEEN = ("QUANTIZE", "DEQUANTIZE")


def row_states(op: Op) -> tuple[str, ...]:
    """The states of an op's inputs, as its row has them; without a row none is supported yet."""
    gradients = find_row(op).gradients
    return tuple(
        dict.fromkeys(g.value if isinstance(g, GradientSupport) else _RULE for g in gradients)
    )


@dataclass(frozen=True)
class Backward:
    """What gradients reach.

    Attributes:
        layers: those with weights, from the outputs backwards.
        stops: the ops that a gradient reaches and does not pass.
        trainable: the constants that could become variables.
    """

    layers: tuple[LayerFacts, ...]
    stops: tuple[StopFacts, ...]
    trainable: frozenset[Tensor]

    @classmethod
    def of(cls, base: BaseGraph) -> Backward:
        """Go back from the outputs, op by op."""
        reached = set(base.graph.outputs)
        stops: list[StopFacts] = []
        layers: list[LayerFacts] = []
        trainable: set[Tensor] = set()
        for op in reversed(base.ops):
            weights = base.weights[op]
            asked = [*weights, *(i for i, t in enumerate(op.inputs) if t in base.flow)]
            arrives = not reached.isdisjoint(op.outputs)
            refused = {i: found for i in asked if (found := _refusal(op, i))} if arrives else {}
            reached.update(_passed(base, op, asked, refused) if arrives else ())
            if refused:
                state, why = next(iter(refused.values()))
                stops.append(StopFacts(called(op.output), op.name, state, why))
            if weights:
                layer = _layer(op, weights, arrives, refused, stops)
                layers.append(layer)
                if layer.trainable:
                    trainable.update(*weights.values())
        return cls(tuple(layers), tuple(stops), frozenset(trainable))


def _passed(
    base: BaseGraph, op: Op, asked: Iterable[int], refused: Iterable[int]
) -> Iterable[Tensor]:
    inputs = [op.inputs[index] for index in asked if index not in refused]
    return [tensor for tensor in inputs if tensor in base.flow and tensor is not None]


def _layer(
    op: Op,
    weights: Mapping[int, frozenset[Tensor]],
    arrives: bool,
    refused: dict[int, tuple[str, str]],
    stops: list[StopFacts],
) -> LayerFacts:
    constants = frozenset[Tensor]().union(*weights.values())
    packed = [tensor for tensor in constants if tensor.dtype.numpy is None or tensor.sparsity]
    own = [refused[index] for index in weights if index in refused]
    if not arrives:
        why = _behind(stops)
    elif own:
        why = f"no: its gradient is {own[0][0]}"
    elif packed:
        why = "no: its weights are packed; give the float file"
    elif all(tensor.dtype is DType.FLOAT32 for tensor in constants):
        why = "yes"
    else:
        why = "yes, dequantized first"
    return LayerFacts(
        name=called(op.output),
        op=op.name,
        parameters=sum(tensor.size for tensor in constants),
        dtypes=tuple(sorted({tensor.dtype.name.lower() for tensor in constants})),
        trainable=why.startswith("yes"),
        why=why,
    )


def _behind(stops: list[StopFacts]) -> str:
    if not stops:
        return "no: no output depends on it"
    return f"no: gradients end at {stops[-1].op} {stops[-1].name!r}"


def _refusal(op: Op, index: int) -> tuple[str, str] | None:
    """Why the gradient of one input cannot be had: its state, and words; None where it can."""
    if op.code in _BETWEEN:
        return None
    graph = Graph()
    inputs = [None if t is None else _alone(graph, t) for t in op.inputs]
    source = inputs[index]
    if source is None or not source.dtype.is_float:
        return None
    outputs = [graph.tensor(called(t), DType.FLOAT32, t.shape) for t in op.outputs]
    copy = graph.add(Op(op.code, inputs, outputs, options=op.options, custom_code=op.custom_code))
    try:
        gradients(copy.output, [source], seed=graph.input("g", copy.output.shape))
    except GradientError as error:
        gradient = find_row(op).gradient(index)
        if not isinstance(gradient, GradientSupport):  # a rule that does not support these options
            gradient = GradientSupport.NOT_SUPPORTED
        return gradient.value, str(error)
    return None


def _alone(graph: Graph, tensor: Tensor) -> Tensor:
    """The tensor in a graph of its own; what stands for reals is float32 there."""
    if is_real(tensor):
        return graph.input(called(tensor), tensor.shape)
    copy = graph.tensor(called(tensor), tensor.dtype, tensor.shape)
    copy.data = tensor.data
    return copy
