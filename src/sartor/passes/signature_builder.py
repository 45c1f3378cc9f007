"""Build the graph of one signature."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ..contract.names import FEATURES
from ..contract.signatures import numbered
from ..graph import DType, Graph, Signature, Tensor
from ..ops import assign_variable, call_once, read_variable, var_handle
from .plan import Plan

__all__ = ["SignatureBuilder"]


class SignatureBuilder:
    """The graph of one signature under construction, with access to the variables.

    CALL_ONCE, which runs the initializer, is the first op. A signature without it would lose its
    values to the initializer of the next one.

    Args:
        plan: the parts of the model.
        key: name of the signature.
        graph: a graph to extend. Default: a new one.
    """

    def __init__(self, plan: Plan, key: str, graph: Graph | None = None) -> None:
        self.plan = plan
        self.key = key
        self.graph = graph or Graph()
        self.graph.name = key
        self._handles: dict[str, Tensor] = {}
        self._values: dict[str, Tensor] = {}
        call_once(self.graph, plan.initializer)
        self.graph.ops.insert(0, self.graph.ops.pop())

    def input(self, name: str, shape: Sequence[int]) -> Tensor:
        """Add a float32 input."""
        return self.graph.input(name, shape, DType.FLOAT32)

    def feature_inputs(self) -> list[Tensor]:
        """Add the inputs `features`, `features_1`, …, each [B, …]."""
        return [
            self.input(numbered(FEATURES, index), (self.plan.batch_size, *spec.shape))
            for index, spec in enumerate(self.plan.features)
        ]

    def read(self, name: str) -> Tensor:
        """Return the value of a variable at the start of the signature."""
        if name not in self._values:
            shape = self.plan.variables[name].shape
            self._values[name] = read_variable(self._handle(name), shape, name=name)
        return self._values[name]

    def head_parameters(self) -> dict[str, Tensor]:
        """Return the values of the head's variables, under the head's own names."""
        variables = [
            *self.plan.variables_with_role("parameter"),
            *self.plan.variables_with_role("statistic"),
        ]
        return {v.name.removeprefix("head/"): self.read(v.name) for v in variables}

    def assign(self, name: str, value: Tensor) -> None:
        """Assign a value to a variable."""
        assign_variable(self._handle(name), value)

    def finish(self, outputs: Mapping[str, Tensor]) -> None:
        """Set the outputs, and add the signature to the model."""
        graph, model = self.graph, self.plan.model
        graph.outputs = list(outputs.values())
        for name, tensor in outputs.items():
            tensor.name = name
        inputs = {tensor.name: tensor for tensor in graph.inputs}
        model.signatures.append(Signature(self.key, graph, inputs, outputs))
        if graph not in model.graphs:
            model.graphs.append(graph)

    def _handle(self, name: str) -> Tensor:
        if name not in self._handles:
            self._handles[name] = var_handle(self.graph, name)
        return self._handles[name]
