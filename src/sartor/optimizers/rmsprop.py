"""RMSprop."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from ..contract.specs import FirstStep, StepSpec
from ..graph import Tensor
from ..ops import add, div, mul, sqrt, square, sub
from ._average import average
from ._checks import check_epsilon, check_rates, check_weight_decay

__all__ = ["RMSprop"]


@dataclass(frozen=True)
class RMSprop:
    """RMSprop (Tieleman & Hinton, 2012) with optional momentum, as in PyTorch.

    `g ← g + weight_decay · w`; `s ← ρs + (1 − ρ)g²`; `v ← momentum · v + g / (√s + ε)`;
    `w ← w − lr · v`.

    Attributes:
        learning_rate: default learning rate of the file, or None if the runtime chooses it.
            Default: None.
        weight_decay: default weight decay of the file, or None if the runtime chooses it.
            Default: None.
        decay: ρ, decay of the mean of the squares, 0 ≤ ρ < 1. Default: 0.9.
        momentum: decay of the velocity, 0 ≤ momentum < 1. Default: 0.
        epsilon: summand of the denominator, > 0. Default: 1e-8.
        clip_norm: largest global norm of the gradients, or None. Default: None.
    """

    learning_rate: float | None = None
    weight_decay: float | None = None
    decay: float = 0.9
    momentum: float = 0.0
    epsilon: float = 1e-8
    clip_norm: float | None = None

    name = "rmsprop"
    shared_state = ()

    def __post_init__(self) -> None:
        check_rates(self.learning_rate, self.clip_norm, decay=self.decay, momentum=self.momentum)
        check_epsilon(self, self.epsilon)
        check_weight_decay(self.weight_decay)

    @property
    def parameter_state(self) -> tuple[str, ...]:
        """The mean of the squares, and the velocity if there is momentum."""
        return ("square", "momentum") if self.momentum else ("square",)

    @property
    def step(self) -> StepSpec:
        """Steps of the size of the learning rate; after the first one, `s = (1 − ρ) · g²`."""
        first = FirstStep(factor=1 - self.decay, state="square", power=2)
        return StepSpec(adaptive=True, momentum=self.momentum, first=first)

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
        squares = average(parameter_state["square"], square(gradient), self.decay)
        step = div(gradient, add(sqrt(squares), self.epsilon))
        new = {"square": squares}
        if self.momentum:
            step = new["momentum"] = add(mul(parameter_state["momentum"], self.momentum), step)
        return sub(parameter, mul(step, learning_rate)), new
