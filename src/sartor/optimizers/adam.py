"""Adam, and Adam with decoupled weight decay."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from ..contract.specs import FirstStep, StepSpec
from ..graph import Tensor
from ..ops import add, div, mul, sqrt, square, sub
from ._average import average
from ._checks import check_epsilon, check_rates, check_weight_decay

__all__ = ["Adam", "AdamW"]


@dataclass(frozen=True)
class Adam:
    """Adam (Kingma & Ba, 2015).

    `g ← g + weight_decay · w`; `m ← β₁m + (1 − β₁)g`; `v ← β₂v + (1 − β₂)g²`;
    `w ← w − lr · m̂ / (√v̂ + ε)` with `m̂ = m / (1 − β₁ᵗ)` and `v̂ = v / (1 − β₂ᵗ)`. The divisors are
    updated in each step, `u ← βu + (1 − β)`: in float32, `1 − βᵗ` is inaccurate for small t.

    Attributes:
        learning_rate: default learning rate of the file, or None if the runtime chooses it.
            Default: None.
        weight_decay: default weight decay of the file, or None if the runtime chooses it.
            Default: None.
        beta_1, beta_2: decay of the two moments, 0 ≤ β < 1. Defaults: 0.9 and 0.999.
        epsilon: summand of the denominator, > 0. Default: 1e-8.
        clip_norm: largest global norm of the gradients, or None. Default: None.
    """

    learning_rate: float | None = None
    weight_decay: float | None = None
    beta_1: float = 0.9
    beta_2: float = 0.999
    epsilon: float = 1e-8
    clip_norm: float | None = None

    name = "adam"
    parameter_state = ("m", "v")
    shared_state = ("m_weight", "v_weight")

    def __post_init__(self) -> None:
        check_rates(self.learning_rate, self.clip_norm, beta_1=self.beta_1, beta_2=self.beta_2)
        check_epsilon(self, self.epsilon)
        check_weight_decay(self.weight_decay)

    @property
    def step(self) -> StepSpec:
        """Steps of the size of the learning rate; after the first one, `m = (1 − β₁) · g`."""
        return StepSpec(adaptive=True, first=FirstStep(factor=1 - self.beta_1, state="m"))

    def settings(self) -> dict[str, Any]:
        """Return the settings for the manifest."""
        return asdict(self)

    def advance(self, shared_state: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Emit the total weight of the gradients in each average, `1 − βᵗ`."""
        return {
            "m_weight": average(shared_state["m_weight"], 1.0, self.beta_1),
            "v_weight": average(shared_state["v_weight"], 1.0, self.beta_2),
        }

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
        return self._step(parameter, gradient, parameter_state, shared_state, learning_rate)

    def _step(
        self,
        parameter: Tensor,
        gradient: Tensor,
        parameter_state: Mapping[str, Tensor],
        shared_state: Mapping[str, Tensor],
        learning_rate: Tensor,
    ) -> tuple[Tensor, dict[str, Tensor]]:
        """Emit the step without weight decay.

        The bias corrections are scalars, so each moment is read and written once.
        """
        m = average(parameter_state["m"], gradient, self.beta_1)
        v = average(parameter_state["v"], square(gradient), self.beta_2)
        rate = div(learning_rate, shared_state["m_weight"])
        denominator = add(div(sqrt(v), sqrt(shared_state["v_weight"])), self.epsilon)
        return sub(parameter, mul(div(m, denominator), rate)), {"m": m, "v": v}


@dataclass(frozen=True)
class AdamW(Adam):
    """Adam with decoupled weight decay (Loshchilov & Hutter, 2019).

    `w ← w − lr · λ · w`, then the step of Adam. As in PyTorch, λ is multiplied by the learning
    rate, and the bias decays too.

    Attributes:
        learning_rate, weight_decay, beta_1, beta_2, epsilon, clip_norm: see `Adam`; λ is the weight
            decay.
    """

    name = "adamw"

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
        parameter = mul(parameter, sub(1.0, mul(learning_rate, weight_decay)))
        return self._step(parameter, gradient, parameter_state, shared_state, learning_rate)
