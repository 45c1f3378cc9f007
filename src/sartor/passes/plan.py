"""What the passes share: the model in the making, and the variables that its signatures use."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from ..contract.manifest import FeatureSpec, InputSpec
from ..contract.names import FEATURES
from ..contract.signatures import numbered
from ..graph import DType, Graph, Model, Signature, Tensor
from ..heads import Head, RandomHead
from ..ops import assign_variable, call_once, read_variable, var_handle
from ..optimizers import Optimizer

__all__ = ["Plan", "Variable", "Workspace"]


@dataclass(frozen=True)
class Variable:
    """A variable in the making; the fields are those of `VariableSpec`.

    Attributes:
        initial: the constant of the initializer graph that holds its first value.
    """

    name: str
    role: str
    initial: Tensor
    class_axis: int | None = None
    parameter: str | None = None

    @property
    def shape(self) -> tuple[int, ...]:
        """Its shape."""
        return self.initial.shape


@dataclass
class Plan:
    """A personalizable model in the making.

    Attributes:
        model: the base at first; each pass adds its signatures.
        head, optimizer: what the user combines.
        batch: B, the rows of one training step.
        classes: the name of each of the C slots, None while it is free.
        inputs, features: what the base takes and gives.
        initializer: gives each variable its first value.
        variables: name → variable, in the order of `save` and `restore`.
    """

    model: Model
    head: Head
    optimizer: Optimizer
    batch: int
    classes: tuple[str | None, ...]
    inputs: list[InputSpec]
    features: list[FeatureSpec]
    initializer: Graph = field(default_factory=lambda: Graph("initializer"))
    variables: dict[str, Variable] = field(default_factory=dict)

    @property
    def capacity(self) -> int:
        """C, the most classes there can be."""
        return len(self.classes)

    @property
    def random_head(self) -> RandomHead | None:
        """The head, where its training is random."""
        head = self.head
        return head if isinstance(head, RandomHead) and head.is_random else None

    def add_variable(
        self,
        name: str,
        role: str,
        initial: np.ndarray,
        *,
        class_axis: int | None = None,
        parameter: str | None = None,
    ) -> None:
        """Make a variable, float32, and let the initializer set it."""
        value = np.ascontiguousarray(initial, np.float32)
        constant = self.initializer.constant(value, name, exclusive=True)
        assign_variable(var_handle(self.initializer, name), constant)
        self.variables[name] = Variable(name, role, constant, class_axis, parameter)

    def named(self, role: str) -> list[Variable]:
        """The variables of a role."""
        return [variable for variable in self.variables.values() if variable.role == role]


class Workspace:
    """The graph of one signature, with the variables at hand.

    CALL_ONCE comes first in each: a signature without it would be overwritten by the next one's
    initial values.
    """

    def __init__(self, plan: Plan, key: str, graph: Graph | None = None) -> None:
        """Start a graph, or go on with the one given."""
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
        """Add the inputs `features`, `features_1`, … of a batch."""
        specs = enumerate(self.plan.features)
        return [self.input(numbered(FEATURES, i), (self.plan.batch, *s.shape)) for i, s in specs]

    def read(self, name: str) -> Tensor:
        """The value that a variable has when the signature starts."""
        if name not in self._values:
            shape = self.plan.variables[name].shape
            self._values[name] = read_variable(self._handle(name), shape, name=name)
        return self._values[name]

    def parameters(self) -> dict[str, Tensor]:
        """What the head keeps, under the head's own names."""
        kept = [*self.plan.named("parameter"), *self.plan.named("statistic")]
        return {v.name.removeprefix("head/"): self.read(v.name) for v in kept}

    def assign(self, name: str, value: Tensor) -> None:
        """Give a variable another value."""
        assign_variable(self._handle(name), value)

    def sign(self, outputs: Mapping[str, Tensor]) -> None:
        """Add the signature to the model; the inputs are the graph's, under their own names."""
        graph = self.graph
        graph.outputs = list(outputs.values())
        for name, tensor in outputs.items():
            tensor.name = name
        names = {tensor.name: tensor for tensor in graph.inputs}
        self.plan.model.signatures.append(Signature(self.key, graph, names, outputs))
        if graph not in self.plan.model.graphs:
            self.plan.model.graphs.append(graph)

    def _handle(self, name: str) -> Tensor:
        if name not in self._handles:
            self._handles[name] = var_handle(self.graph, name)
        return self._handles[name]
