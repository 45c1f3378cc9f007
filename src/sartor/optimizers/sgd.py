"""Stochastic gradient descent."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from .._arguments import check_flag
from ..contract.specs import FirstStep, StepSpec
from ..errors import ConversionError
from ..graph import Tensor
from ..ops import add, mul, sub
from ._checks import check_rates, check_weight_decay

__all__ = ["SGD"]


@dataclass(frozen=True)
class SGD:
    """Stochastic gradient descent with optional momentum, as in PyTorch.

    `g ← g + weight_decay · w`; `v ← momentum · v + g`; `w ← w − lr · v`, with Nesterov
    `w ← w − lr · (g + momentum · v)` (Sutskever et al., 2013).

    Attributes:
        learning_rate: default learning rate of the file, or None if the runtime chooses it.
            Default: None.
        momentum: decay of the velocity, 0 ≤ momentum < 1. Default: 0.
        nesterov: True for Nesterov momentum; requires a momentum above 0. Default: False.
        weight_decay: default weight decay of the file, or None if the runtime chooses it.
            Default: None.
        clip_norm: largest global norm of the gradients, or None. Default: None.
    """

    learning_rate: float | None = None
    momentum: float = 0.0
    nesterov: bool = False
    weight_decay: float | None = None
    clip_norm: float | None = None

    name = "sgd"
    shared_state = ()

    def __post_init__(self) -> None:
        check_flag(self.nesterov, "nesterov", error=ConversionError)
        check_rates(self.learning_rate, self.clip_norm, momentum=self.momentum)
        check_weight_decay(self.weight_decay)
        if self.nesterov and not self.momentum:
            raise ConversionError("SGD: nesterov needs a momentum, such as momentum=0.9")

    @property
    def parameter_state(self) -> tuple[str, ...]:
        """The velocity, if there is momentum."""
        return ("momentum",) if self.momentum else ()

    @property
    def step(self) -> StepSpec:
        """Gradient descent; the first step is `lr · g`, with Nesterov times 1 + momentum."""
        first = FirstStep(factor=1 + self.momentum if self.nesterov else 1.0)
        return StepSpec(adaptive=False, momentum=self.momentum, nesterov=self.nesterov, first=first)

    def settings(self) -> dict[str, Any]:
        """Return the settings for the manifest."""
        return asdict(self)

    def advance(self, shared_state: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Return nothing: there is no shared state."""
        return {}

    def update(
        self,
        parameter: Tensor,
        gradient: Tensor,
        parameter_state: Mapping[str, Tensor],
        shared_state: Mapping[str, Tensor],
        learning_rate: Tensor,
        weight_decay: Tensor,
    ) -> tuple[Tensor, dict[str, Tensor]]:
        """Emit the step of one parameter (see `Optimizer.update`)."""
        gradient = add(gradient, mul(parameter, weight_decay))
        if not self.momentum:
            return sub(parameter, mul(gradient, learning_rate)), {}
        velocity = add(mul(parameter_state["momentum"], self.momentum), gradient)
        step = add(gradient, mul(velocity, self.momentum)) if self.nesterov else velocity
        return sub(parameter, mul(step, learning_rate)), {"momentum": velocity}
