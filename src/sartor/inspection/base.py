"""The part of a model that could be a base: what flows through it, and where its weights are."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property

from ..graph import DType, Graph, Op, Tensor
from ..ops import find_row

__all__ = ["BaseGraph", "called", "is_real"]


def is_real(tensor: Tensor) -> bool:
    """Whether it holds reals, or integers that stand for them; a shape does not."""
    steps = tensor.quantization
    return tensor.dtype.is_float or (steps is not None and steps.scale.size > 0)


def called(tensor: Tensor) -> str:
    """A name for people; the converter that made the file may have joined several."""
    return tensor.name.split(";")[0]


@dataclass(frozen=True)
class BaseGraph:
    """What flows through a graph from its inputs.

    Attributes:
        graph: whose inputs have a batch of 1.
        flow: the tensors that depend on an input's values.
        ops: those that make them, in the order they run.
        roots: tensor → the constants that it comes from, of those that come from nothing else.
    """

    graph: Graph
    flow: frozenset[Tensor]
    ops: tuple[Op, ...]
    roots: Mapping[Tensor, frozenset[Tensor]]

    @classmethod
    def of(cls, graph: Graph) -> BaseGraph:
        """Follow the inputs, and the constants."""
        flow, ops = set(graph.inputs), []
        roots = {tensor: frozenset([tensor]) for tensor in graph.tensors if tensor.is_constant}
        for op in graph.ops:
            inputs = [tensor for tensor in op.inputs if tensor is not None]
            if op.outputs and not find_row(op).measures_shape and not flow.isdisjoint(inputs):
                ops.append(op)
                flow.update(tensor for tensor in op.outputs if tensor.dtype is not DType.RESOURCE)
            elif inputs and all(tensor in roots for tensor in inputs):
                origin = frozenset[Tensor]().union(*(roots[tensor] for tensor in inputs))
                roots.update(dict.fromkeys(op.outputs, origin))
        return cls(graph, frozenset(flow), tuple(ops), roots)

    def before(self, tensors: Iterable[Tensor]) -> set[Op]:
        """The ops that these tensors come from."""
        found: set[Op] = set()
        stack = [tensor.producer for tensor in tensors]
        while stack:
            op = stack.pop()
            if op is not None and op not in found:
                found.add(op)
                stack.extend(t.producer for t in op.inputs if t is not None and t in self.flow)
        return found

    @cached_property
    def weights(self) -> Mapping[Op, Mapping[int, frozenset[Tensor]]]:
        """Op → input index → the constants that it comes from, where these stand for reals.

        Ops may lie between: weights are dequantized, transposed, reshaped.
        """
        return {op: self._weights(op) for op in self.ops}

    def _weights(self, op: Op) -> dict[int, frozenset[Tensor]]:
        found = {}
        for index, tensor in enumerate(op.inputs):
            real = frozenset(filter(is_real, self.roots.get(tensor, ()))) if tensor else None
            if real:
                found[index] = real
        return found

    def parameters(self, ops: Iterable[Op]) -> frozenset[Tensor]:
        """The weights and biases of these ops, each once."""
        return frozenset(t for op in ops for roots in self.weights[op].values() for t in roots)
