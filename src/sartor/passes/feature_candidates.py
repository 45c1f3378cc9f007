"""The features that one output of a base suggests."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ..graph import Op, Tensor, first_name
from ..ops import find_row
from .dataflow import Dataflow, can_be_feature

__all__ = ["Candidate", "find_candidate", "numbers"]

_UNIT_LENGTH_FACTOR = ("ADD", "DIV", "MAXIMUM", "MINIMUM", "RESHAPE", "RSQRT", "SQRT")
_SAME_VALUES = ("DEQUANTIZE", "QUANTIZE", "RESHAPE", "SQUEEZE")
_ACTIVATIONS = ("ELU", "GELU", "HARD_SWISH", "LEAKY_RELU", "PRELU", "RELU", "RELU6", "MUL", "TANH")


@dataclass(frozen=True)
class Candidate:
    """The features that one output suggests.

    Attributes:
        output: output of the base.
        tensors: feature tensors.
        reason: description of the tensors.
        pooled: whether the features are the means of the tensors over their positions.
        is_clear: whether users usually want these features.
    """

    output: Tensor
    tensors: tuple[Tensor, ...]
    reason: str
    pooled: bool = False
    is_clear: bool = True


def numbers(tensor: Tensor) -> int:
    """Return the number of elements for one sample."""
    return tensor.size // max(1, tensor.shape[0]) if tensor.rank > 1 else tensor.size


def find_candidate(output: Tensor, flow: Dataflow) -> Candidate | None:
    """Return the features that an output suggests; None if no layer with weights computes it.

    They are

    - the output itself, if it is scaled to unit length (an embedding), or if the last layers with
      weights are convolutions over an image and no classifier follows;
    - the mean over the positions of the input of the last convolution, if its output is pooled and
      becomes probabilities;
    - otherwise the input of the last layers with weights; several tensors if branches cross it.
    """
    tail = _Tail.of(output, flow)
    if not tail.layers:
        return None
    layer = f"{tail.layers[-1].name} {first_name(tail.layers[-1].output)!r}"
    if _has_unit_length(output):
        return Candidate(
            output, (output,), f"the output {first_name(output)!r}, which is scaled to unit length"
        )
    inputs = tail.inputs(flow)
    if not all(map(_has_positions, tail.layers)):
        return Candidate(output, inputs, f"the input of {layer}, the last layer with weights")
    if tail.is_pooled and tail.has_probabilities:
        reason = f"the mean over the positions of the input of {layer}, the last layer with weights"
        return Candidate(output, inputs, reason, pooled=True)
    return Candidate(
        output,
        (output,),
        f"the output of the base, since {layer} is not a classifier",
        is_clear=_is_feature_map(tail, inputs, flow),
    )


@dataclass(frozen=True)
class _Tail:
    """The last layers with weights, and the ops between them and an output.

    Attributes:
        output: output of the base.
        layers: layers with weights from which no other layer follows, in execution order.
        ops: ops without weights that depend on them.
    """

    output: Tensor
    layers: tuple[Op, ...]
    ops: frozenset[Op]

    @classmethod
    def of(cls, output: Tensor, flow: Dataflow) -> _Tail:
        layers, ops, stack = set[Op](), set[Op](), [output.producer]
        while stack:
            op = stack.pop()
            if op is None or op in ops or op in layers:
                continue
            if flow.is_weighted(op):
                layers.add(op)
                continue
            ops.add(op)
            stack.extend(t.producer for t in op.inputs if t is not None and t in flow.tensors)
        earlier = {op for layer in layers for op in flow.ops_before(_data(layer, flow))}
        last = tuple(op for op in flow.ops if op in layers and op not in earlier)
        after, changed = set[Op](), {tensor for op in last for tensor in op.outputs}
        for op in flow.ops:
            if op in ops and not changed.isdisjoint(op.inputs):
                after.add(op)
                changed.update(op.outputs)
        return cls(output, last, frozenset(after))

    def inputs(self, flow: Dataflow) -> tuple[Tensor, ...]:
        """Return the tensors that cross the boundary before the layers."""
        after = set(self.layers) | self.ops
        crossing = (
            tensor
            for op in flow.ops
            if op in after
            for tensor in op.inputs
            if tensor is not None
            and tensor in flow.tensors
            and tensor.producer not in after
            and can_be_feature(tensor)
        )
        return tuple(dict.fromkeys(crossing))

    @property
    def is_pooled(self) -> bool:
        """Whether the output has no positions: one number per channel."""
        return numbers(self.output) <= max(op.output.shape[-1] for op in self.layers)

    @property
    def has_probabilities(self) -> bool:
        """Whether the output becomes probabilities."""
        return any(find_row(op).probabilities and not _is_swish(op) for op in self.ops)

    @property
    def has_activation(self) -> bool:
        """Whether the layers have an activation."""
        fused = any(op.options.get("fusedActivationFunction") for op in self.layers)
        return fused or any(op.code in _ACTIVATIONS for op in self.ops)


def _data(op: Op, flow: Dataflow) -> Sequence[Tensor]:
    return [tensor for tensor in op.inputs if tensor is not None and tensor in flow.tensors]


def _is_feature_map(tail: _Tail, inputs: Sequence[Tensor], flow: Dataflow) -> bool:
    """Return whether the output is a feature map, and not an image or a detection."""
    if tail.has_probabilities or any(_decides(op) for op in tail.ops):
        return False
    if tail.is_pooled:
        channels = sum(tensor.shape[-1] for tensor in inputs)
        return tail.has_activation or numbers(tail.output) >= channels
    return numbers(tail.output) < sum(map(numbers, flow.graph.inputs))


def _decides(op: Op) -> bool:
    """Return whether an op makes decisions of a detector, from which nothing can be learned."""
    return op.custom_code is not None or op.code.startswith(("NON_MAX_", "ARG_", "TOPK_"))


def _has_positions(op: Op) -> bool:
    shape = op.output.shape
    return op.code != "FULLY_CONNECTED" and len(shape) > 2 and max(shape[1:-1]) > 1


def _is_swish(op: Op) -> bool:
    """Return whether a LOGISTIC belongs to `x · sigmoid(x)`."""
    return any(
        consumer.code == "MUL" and op.inputs[0] in consumer.inputs
        for consumer in op.output.consumers
    )


def _has_unit_length(output: Tensor) -> bool:
    """Return whether the last ops scale a vector to length 1."""
    op = output.producer
    while op is not None and op.code in _SAME_VALUES:
        op = op.input(0).producer
    if op is None or op.code == "L2_NORMALIZATION":
        return op is not None
    if op.code not in ("MUL", "DIV"):
        return False
    x, y = op.input(0), op.input(1)
    return _is_length_of(y, x) or (op.code == "MUL" and _is_length_of(x, y))


def _is_length_of(factor: Tensor, vector: Tensor) -> bool:
    """Return whether `factor` is computed from the sum of the squares of `vector`."""
    op = factor.producer
    while op is not None and op.code in _UNIT_LENGTH_FACTOR:
        op = next((t.producer for t in op.inputs if t is not None and t.producer), None)
    if op is None or op.code != "SUM":
        return False
    square = op.input(0).producer
    return square is not None and square.code in ("SQUARE", "MUL") and vector in square.inputs
