"""RMSprop: each weight at a pace of its own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from ..graph import Tensor
from ..ops import add, div, mul, sqrt, square, sub
from ._average import average
from ._checks import check_epsilon, check_rates

__all__ = ["RMSprop"]


@dataclass(frozen=True)
class RMSprop:
    """RMSprop (Tieleman & Hinton, 2012), with momentum if asked (as PyTorch's `RMSprop`).

    `s ← ρs + (1 − ρ)g²`; `v ← momentum · v + g / (√s + ε)`; `w ← w − lr · v`.

    Attributes:
        learning_rate: the default that the file states; None lets the runtime choose.
        decay: ρ, of the squares' average, 0 ≤ ρ < 1.
        momentum: 0 ≤ momentum < 1.
        epsilon: keeps the division finite; > 0.
        clip_norm: greatest global norm of the gradients, or None.
    """

    learning_rate: float | None = None
    decay: float = 0.9
    momentum: float = 0.0
    epsilon: float = 1e-8
    clip_norm: float | None = None

    name = "rmsprop"
    shared_state = ()

    def __post_init__(self) -> None:
        check_rates(self.learning_rate, self.clip_norm, decay=self.decay, momentum=self.momentum)
        check_epsilon(self, self.epsilon)

    @property
    def parameter_state(self) -> tuple[str, ...]:
        """The squares, and the velocity where there is momentum."""
        return ("square", "momentum") if self.momentum else ("square",)

    def settings(self) -> dict[str, Any]:
        """What goes into the manifest."""
        return asdict(self)

    def advance(self, shared_state: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Nothing is kept for all parameters together."""
        return {}

    def update(
        self,
        parameter: Tensor,
        gradient: Tensor,
        parameter_state: Mapping[str, Tensor],
        shared_state: Mapping[str, Tensor],
        learning_rate: Tensor,
    ) -> tuple[Tensor, dict[str, Tensor]]:
        """Emit one parameter's step (see `Optimizer.update`)."""
        squares = average(parameter_state["square"], square(gradient), self.decay)
        step = div(gradient, add(sqrt(squares), self.epsilon))
        new = {"square": squares}
        if self.momentum:
            step = new["momentum"] = add(mul(parameter_state["momentum"], self.momentum), step)
        return sub(parameter, mul(step, learning_rate)), new
