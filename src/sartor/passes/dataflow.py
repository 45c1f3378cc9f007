"""The dataflow of a graph: the ops between its inputs and outputs, and their weights."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property

from ..graph import DType, Graph, Op, Tensor
from ..ops import find_row

__all__ = ["Dataflow", "can_be_feature", "is_real"]

_QUANTIZED_FEATURES = (DType.INT8, DType.UINT8, DType.INT16)  # LiteRT dequantizes these


def is_real(tensor: Tensor) -> bool:
    """Return whether a tensor is float, or integers with a scale."""
    quantization = tensor.quantization
    return tensor.dtype.is_float or (quantization is not None and quantization.scale.size > 0)


def can_be_feature(tensor: Tensor) -> bool:
    """Return whether LiteRT can compute the values of a tensor as float32."""
    if tensor.dtype in (DType.FLOAT32, DType.FLOAT16):
        return True
    return tensor.dtype in _QUANTIZED_FEATURES and is_real(tensor)


@dataclass(frozen=True)
class Dataflow:
    """The ops and tensors that depend on the inputs of a graph.

    Attributes:
        graph: a graph with batch 1.
        tensors: the tensors that depend on the values of an input.
        ops: the ops that compute them, in execution order.
        roots: tensor → constants that it is computed from, for tensors computed from constants
            only.
    """

    graph: Graph
    tensors: frozenset[Tensor]
    ops: tuple[Op, ...]
    roots: Mapping[Tensor, frozenset[Tensor]]

    @classmethod
    def of(cls, graph: Graph) -> Dataflow:
        """Analyze a graph."""
        dependent, ops = set(graph.inputs), []
        roots = {tensor: frozenset([tensor]) for tensor in graph.tensors if tensor.is_constant}
        for op in graph.ops:
            inputs = [tensor for tensor in op.inputs if tensor is not None]
            if op.outputs and not find_row(op).measures_shape and not dependent.isdisjoint(inputs):
                ops.append(op)
                dependent.update(t for t in op.outputs if t.dtype is not DType.RESOURCE)
            elif inputs and all(tensor in roots for tensor in inputs):
                constants = frozenset[Tensor]().union(*(roots[tensor] for tensor in inputs))
                roots.update(dict.fromkeys(op.outputs, constants))
        return cls(graph, frozenset(dependent), tuple(ops), roots)

    def ops_before(self, tensors: Iterable[Tensor]) -> set[Op]:
        """Return the ops that these tensors depend on."""
        ops: set[Op] = set()
        stack = [tensor.producer for tensor in tensors]
        while stack:
            op = stack.pop()
            if op is not None and op not in ops:
                ops.add(op)
                stack.extend(t.producer for t in op.inputs if t is not None and t in self.tensors)
        return ops

    def is_weighted(self, op: Op) -> bool:
        """Return True for a layer with weights: constants, or variables of the file."""
        weights = find_row(op).weights
        if weights is None or op not in self._op_set or weights.input >= len(op.inputs):
            return False
        tensor = op.inputs[weights.input]
        return tensor is not None and tensor not in self.tensors

    @cached_property
    def custom(self) -> Mapping[Tensor, frozenset[str]]:
        """Tensor → names of the custom ops that it is computed from; for tensors with such ops."""
        names: dict[Tensor, frozenset[str]] = {}
        for op in self.graph.ops:
            before = [names[tensor] for tensor in op.inputs if tensor in names and tensor]
            own = frozenset(_custom_ops(op))
            if own or before:
                names.update(dict.fromkeys(op.outputs, own.union(*before)))
        return names

    @cached_property
    def _op_set(self) -> frozenset[Op]:
        return frozenset(self.ops)

    @cached_property
    def weights(self) -> Mapping[Op, Mapping[int, frozenset[Tensor]]]:
        """Op → input index → constants that the input is computed from, real numbers only.

        Other ops may lie between, such as DEQUANTIZE, TRANSPOSE or RESHAPE.
        """
        return {op: self._weights_of(op) for op in self.ops}

    def _weights_of(self, op: Op) -> dict[int, frozenset[Tensor]]:
        weights = {}
        for index, tensor in enumerate(op.inputs):
            real = frozenset(filter(is_real, self.roots.get(tensor, ()))) if tensor else None
            if real:
                weights[index] = real
        return weights

    def parameters(self, ops: Iterable[Op]) -> frozenset[Tensor]:
        """Return the weights and biases of these ops."""
        return frozenset(t for op in ops for roots in self.weights[op].values() for t in roots)


def _custom_ops(op: Op) -> set[str]:
    """Return the names of the custom ops that an op is or runs."""
    called = [each for graph in op.graphs for inner in graph.reachable() for each in inner.ops]
    return {each.name for each in (op, *called) if each.custom_code is not None}
