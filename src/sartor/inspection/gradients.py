"""Find the layers that gradients reach, by calling the gradient rules."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from ..autodiff import gradients
from ..errors import GradientError
from ..graph import DType, Graph, Op, Tensor, first_name
from ..ops import GradientSupport, find_row
from ..passes.dataflow import Dataflow, is_real
from .parts import UNREADABLE
from .records import GradientStop, LayerInfo

__all__ = ["GradientFlow", "gradient_support"]

_RULE = "rule"
# A trained layer is dequantized; these ops then disappear.
_QUANTIZATION_OPS = ("QUANTIZE", "DEQUANTIZE")


def gradient_support(op: Op) -> tuple[str, ...]:
    """Return how the registry supports the gradients of an op's inputs, each value once."""
    values = (
        each.value if isinstance(each, GradientSupport) else _RULE
        for each in find_row(op).gradients
    )
    return tuple(dict.fromkeys(values))


@dataclass(frozen=True)
class _Refusal:
    """The reason why an input has no gradient.

    Attributes:
        support: see `GradientStop`.
        message: message of the error.
    """

    support: str
    message: str


@dataclass(frozen=True)
class GradientFlow:
    """The layers and ops that gradients reach from the outputs.

    Attributes:
        layers: the layers with weights, from the outputs to the inputs.
        stops: the ops that a gradient reaches and does not pass.
        trainable: the constants that could become variables.
    """

    layers: tuple[LayerInfo, ...]
    stops: tuple[GradientStop, ...]
    trainable: frozenset[Tensor]

    @classmethod
    def of(cls, flow: Dataflow) -> GradientFlow:
        """Follow the gradient from the outputs to the inputs, op by op."""
        reached = set(flow.graph.outputs)
        stops: list[GradientStop] = []
        layers: list[LayerInfo] = []
        trainable: set[Tensor] = set()
        for op in reversed(flow.ops):
            weights = flow.weights[op]
            is_reached = not reached.isdisjoint(op.outputs)
            inputs = [*weights, *(i for i, t in enumerate(op.inputs) if t in flow.tensors)]
            refusals = _find_refusals(op, inputs) if is_reached else {}
            if is_reached:
                reached.update(_passed_tensors(flow, op, inputs, refusals))
            if refusals:
                first = next(iter(refusals.values()))
                stops.append(
                    GradientStop(first_name(op.output), op.name, first.support, first.message)
                )
            if weights:
                layer = _describe_layer(op, weights, is_reached, refusals, stops)
                layers.append(layer)
                if layer.trainable:
                    trainable.update(*weights.values())
        return cls(tuple(layers), tuple(stops), frozenset(trainable))


def _find_refusals(op: Op, inputs: Iterable[int]) -> dict[int, _Refusal]:
    refusals = {index: _find_refusal(op, index) for index in inputs}
    return {index: refusal for index, refusal in refusals.items() if refusal is not None}


def _find_refusal(op: Op, index: int) -> _Refusal | None:
    """Compute the gradient of one input in a graph of its own; None if it exists."""
    if op.code in _QUANTIZATION_OPS:
        return None
    graph = Graph()
    inputs = [None if tensor is None else _copy_tensor(graph, tensor) for tensor in op.inputs]
    source = inputs[index]
    if source is None or not source.dtype.is_float:
        return None
    outputs = [graph.tensor(first_name(t), DType.FLOAT32, t.shape) for t in op.outputs]
    copy = graph.add(Op(op.code, inputs, outputs, options=op.options, custom_code=op.custom_code))
    try:
        gradients(copy.output, [source], seed=graph.input("g", copy.output.shape))
    except GradientError as error:
        support = find_row(op).gradient(index)
        if not isinstance(support, GradientSupport):  # a rule that does not support these options
            support = GradientSupport.NOT_SUPPORTED
        return _Refusal(support.value, str(error))
    except UNREADABLE as error:
        return _Refusal(
            GradientSupport.NOT_SUPPORTED.value,
            f"the shapes of {op!r} are not known before it runs: {error}",
        )
    return None


def _copy_tensor(graph: Graph, tensor: Tensor) -> Tensor:
    """Copy a tensor to another graph; real numbers become a float32 input."""
    if is_real(tensor):
        return graph.input(first_name(tensor), tensor.shape)
    copy = graph.tensor(first_name(tensor), tensor.dtype, tensor.shape)
    copy.data = tensor.data
    return copy


def _passed_tensors(
    flow: Dataflow, op: Op, inputs: Iterable[int], refusals: Mapping[int, _Refusal]
) -> list[Tensor]:
    tensors = [op.inputs[index] for index in inputs if index not in refusals]
    return [tensor for tensor in tensors if tensor is not None and tensor in flow.tensors]


def _describe_layer(
    op: Op,
    weights: Mapping[int, frozenset[Tensor]],
    is_reached: bool,
    refusals: Mapping[int, _Refusal],
    stops: Sequence[GradientStop],
) -> LayerInfo:
    constants = frozenset[Tensor]().union(*weights.values())
    packed = [tensor for tensor in constants if tensor.dtype.numpy is None or tensor.sparsity]
    own = [refusals[index] for index in weights if index in refusals]
    if not is_reached and stops:
        reason = f"no: gradients stop at {stops[-1].op} {stops[-1].name!r}"
    elif not is_reached:
        reason = "no: no output depends on it"
    elif own:
        reason = f"no: its gradient is {own[0].support}"
    elif packed:
        reason = "no: its weights are packed; use the float model"
    elif all(tensor.dtype is DType.FLOAT32 for tensor in constants):
        reason = "yes"
    else:
        reason = "yes, after dequantization"
    return LayerInfo(
        name=first_name(op.output),
        op=op.name,
        parameters=sum(tensor.size for tensor in constants),
        dtypes=tuple(sorted({tensor.dtype.name.lower() for tensor in constants})),
        trainable=reason.startswith("yes"),
        reason=reason,
    )
