"""The model under construction, as the passes share it."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace

import numpy as np

from ..contract.manifest import FeatureSpec, InputSpec
from ..contract.names import FEATURES
from ..errors import ConversionError
from ..graph import Graph, Model, Tensor
from ..heads import DropoutHead, Head
from ..heads.fine_tune import TunedHead
from ..ops import assign_variable, var_handle
from ..optimizers import Optimizer

__all__ = ["Plan", "Variable"]

_LARGEST = 1 << 29  # bytes of all variables; training holds several copies


@dataclass(frozen=True)
class Variable:
    """A variable of the model; the fields are those of `VariableSpec`.

    Attributes:
        initial: the constant of the initializer graph that holds the initial value.
    """

    name: str
    role: str
    initial: Tensor
    class_axis: int | None = None
    parameter: str | None = None
    rate: float | None = None

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of the variable."""
        return self.initial.shape


@dataclass
class Plan:
    """The parts of a personalizable model under construction.

    Attributes:
        model: the base at first; each pass adds its signatures.
        head, optimizer: the trainable parts.
        batch_size: B, the rows of one training step.
        classes: the name of each class index, None for a free one.
        inputs: specs of the inputs of the base.
        features: specs of its features.
        initializer: the graph that gives each variable its initial value.
        variables: name → variable, in the order of `save` and `restore`.
    """

    model: Model
    head: Head
    optimizer: Optimizer
    batch_size: int
    classes: tuple[str | None, ...]
    inputs: list[InputSpec]
    features: list[FeatureSpec]
    initializer: Graph = field(default_factory=lambda: Graph("initializer"))
    variables: dict[str, Variable] = field(default_factory=dict)

    @property
    def capacity(self) -> int:
        """C, the largest number of classes."""
        return len(self.classes)

    @property
    def dropout_head(self) -> DropoutHead | None:
        """The head if it uses dropout, else None."""
        head = self.head
        return head if isinstance(head, DropoutHead) and head.uses_dropout else None

    @property
    def tuned_head(self) -> TunedHead | None:
        """The head if it has tuned layers, else None."""
        return self.head if isinstance(self.head, TunedHead) else None

    def of_head(self, head: TunedHead) -> Plan:
        """Return the plan of the head behind tuned layers; it shares the model and variables."""
        layers = {each.name for each in head.layer_parameters()}
        return replace(
            self,
            head=head.top,
            features=[FeatureSpec(FEATURES, (head.top_features,))],
            variables={
                name: each
                for name, each in self.variables.items()
                if not {name, each.parameter} & {f"head/{layer}" for layer in layers}
            },
        )

    def add_variable(
        self,
        name: str,
        role: str,
        initial: np.ndarray,
        *,
        class_axis: int | None = None,
        parameter: str | None = None,
        rate: float | None = None,
    ) -> None:
        """Add a float32 variable, and its initial value to the initializer.

        Raises:
            ConversionError: If all variables together are too large for a device.
        """
        sizes = [math.prod(each.shape) for each in self.variables.values()]
        size = 4 * (sum(sizes) + initial.size)
        if size > _LARGEST:
            raise ConversionError(
                f"the variables of head and optimizer take {size >> 20:,} MB, expected at most "
                f"{_LARGEST >> 20}: choose features with fewer numbers (features=, --features) or "
                "fewer classes"
            )
        value = np.ascontiguousarray(initial, np.float32)
        constant = self.initializer.constant(value, name, exclusive=True)
        assign_variable(var_handle(self.initializer, name), constant)
        self.variables[name] = Variable(name, role, constant, class_axis, parameter, rate)

    def variables_with_role(self, role: str) -> list[Variable]:
        """Return the variables of a role, in order."""
        return [variable for variable in self.variables.values() if variable.role == role]
