"""Optimizers: how a gradient becomes a step, as ops and, for tests, in NumPy."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Protocol, runtime_checkable

from .errors import ConversionError
from .graph import Tensor
from .ops import add, div, maximum, mul, reduce_sum, reshape, sqrt, square, sub

__all__ = ["SGD", "Adam", "Optimizer", "clip_by_global_norm"]


@runtime_checkable
class Optimizer(Protocol):
    """What a file needs of an optimizer.

    Attributes:
        name: in the manifest.
        learning_rate: the default that the file states, or None to let the runtime choose.
        clip_norm: the gradients are scaled down to this global norm, or None.
        slots: names of the tensors kept for each parameter, in its shape, zero at first.
        state: names of the tensors [1] kept for all parameters together, zero at first.
    """

    @property
    def name(self) -> str: ...  # noqa: D102
    @property
    def learning_rate(self) -> float | None: ...  # noqa: D102
    @property
    def clip_norm(self) -> float | None: ...  # noqa: D102
    @property
    def slots(self) -> tuple[str, ...]: ...  # noqa: D102
    @property
    def state(self) -> tuple[str, ...]: ...  # noqa: D102

    def settings(self) -> dict[str, Any]:
        """What goes into the manifest."""
        ...

    def advance(self, state: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Emit the next value of each of `state`, once a step and before any `update`."""
        ...

    def update(
        self,
        parameter: Tensor,
        gradient: Tensor,
        slots: Mapping[str, Tensor],
        state: Mapping[str, Tensor],
        learning_rate: Tensor,
    ) -> tuple[Tensor, dict[str, Tensor]]:
        """Emit one parameter's step.

        Args:
            parameter: its value.
            gradient: of its shape.
            slots: its slots' values.
            state: what `advance` gave.
            learning_rate: [1].

        Returns:
            The parameter's next value, and its slots'.
        """
        ...


@dataclass(frozen=True)
class SGD:
    """Stochastic gradient descent, with momentum if asked (as PyTorch's `SGD`).

    `g ← g + weight_decay · w`; `v ← momentum · v + g`; `w ← w − lr · v`, with Nesterov
    `w ← w − lr · (g + momentum · v)` (Sutskever et al., 2013).

    Attributes:
        learning_rate: the default that the file states; None lets the runtime choose.
        momentum: 0 ≤ momentum < 1.
        nesterov: look ahead; needs momentum.
        weight_decay: added to the gradient, times the weights.
        clip_norm: greatest global norm of the gradients, or None.
    """

    learning_rate: float | None = None
    momentum: float = 0.0
    nesterov: bool = False
    weight_decay: float = 0.0
    clip_norm: float | None = None

    name = "sgd"
    state = ()

    def __post_init__(self) -> None:
        _check_rates(self.learning_rate, self.clip_norm, momentum=self.momentum)
        _check_not_negative(weight_decay=self.weight_decay)
        if self.nesterov and not self.momentum:
            raise ConversionError("SGD: nesterov needs a momentum, as momentum=0.9")

    @property
    def slots(self) -> tuple[str, ...]:
        """The velocity, where there is momentum."""
        return ("momentum",) if self.momentum else ()

    def settings(self) -> dict[str, Any]:
        """What goes into the manifest."""
        return asdict(self)

    def advance(self, state: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Nothing is kept for all parameters together."""
        return {}

    def update(
        self,
        parameter: Tensor,
        gradient: Tensor,
        slots: Mapping[str, Tensor],
        state: Mapping[str, Tensor],
        learning_rate: Tensor,
    ) -> tuple[Tensor, dict[str, Tensor]]:
        """Emit one parameter's step (see `Optimizer.update`)."""
        if self.weight_decay:
            gradient = add(gradient, mul(parameter, self.weight_decay))
        if not self.momentum:
            return sub(parameter, mul(gradient, learning_rate)), {}
        velocity = add(mul(slots["momentum"], self.momentum), gradient)
        step = add(gradient, mul(velocity, self.momentum)) if self.nesterov else velocity
        return sub(parameter, mul(step, learning_rate)), {"momentum": velocity}


@dataclass(frozen=True)
class Adam:
    """Adam (Kingma & Ba, 2015).

    `m ← β₁m + (1 − β₁)g`; `v ← β₂v + (1 − β₂)g²`;
    `w ← w − lr · m̂ / (√v̂ + ε)` with `m̂ = m / (1 − β₁ᵗ)` and `v̂ = v / (1 − β₂ᵗ)`. The divisors are
    kept as running weights, `u ← βu + (1 − β)`: in float32 `1 − βᵗ` loses digits at first.

    Attributes:
        learning_rate: the default that the file states; None lets the runtime choose.
        beta_1, beta_2: decay of the two moments, 0 ≤ β < 1.
        epsilon: keeps the division finite; > 0.
        clip_norm: greatest global norm of the gradients, or None.
    """

    learning_rate: float | None = None
    beta_1: float = 0.9
    beta_2: float = 0.999
    epsilon: float = 1e-8
    clip_norm: float | None = None

    name = "adam"
    slots = ("m", "v")
    state = ("m_weight", "v_weight")

    def __post_init__(self) -> None:
        _check_rates(self.learning_rate, self.clip_norm, beta_1=self.beta_1, beta_2=self.beta_2)
        if not 1e-38 < self.epsilon < math.inf:
            raise ConversionError(f"Adam: epsilon must be above 0, got {self.epsilon}")

    def settings(self) -> dict[str, Any]:
        """What goes into the manifest."""
        return asdict(self)

    def advance(self, state: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """The weight that all gradients so far have in each average, `1 − βᵗ`."""
        return {
            "m_weight": _average(state["m_weight"], 1.0, self.beta_1),
            "v_weight": _average(state["v_weight"], 1.0, self.beta_2),
        }

    def update(
        self,
        parameter: Tensor,
        gradient: Tensor,
        slots: Mapping[str, Tensor],
        state: Mapping[str, Tensor],
        learning_rate: Tensor,
    ) -> tuple[Tensor, dict[str, Tensor]]:
        """Emit one parameter's step (see `Optimizer.update`).

        The corrections of bias are scalars; both moments are touched once.
        """
        m = _average(slots["m"], gradient, self.beta_1)
        v = _average(slots["v"], square(gradient), self.beta_2)
        rate = div(learning_rate, state["m_weight"])
        denominator = add(div(sqrt(v), sqrt(state["v_weight"])), self.epsilon)
        return sub(parameter, mul(div(m, denominator), rate)), {"m": m, "v": v}


def clip_by_global_norm(gradients: list[Tensor], limit: float) -> list[Tensor]:
    """Scale the gradients by `limit / max(‖all of them‖, limit)`."""
    total = _sum_of_squares(gradients[0])
    for gradient in gradients[1:]:
        total = add(total, _sum_of_squares(gradient))
    scale = div(limit, maximum(sqrt(total), limit))
    return [mul(gradient, scale) for gradient in gradients]


def _average(old: Tensor, new: Tensor | float, decay: float) -> Tensor:
    """`decay · old + (1 − decay) · new`."""
    return add(
        mul(old, decay), new * (1 - decay) if isinstance(new, float) else mul(new, 1 - decay)
    )


def _sum_of_squares(gradient: Tensor) -> Tensor:
    return reshape(reduce_sum(square(gradient), range(gradient.rank)), (1,))


def _check_rates(learning_rate: float | None, clip_norm: float | None, **decays: float) -> None:
    for name, value in (("learning_rate", learning_rate), ("clip_norm", clip_norm)):
        if value is not None and not 0 < value < math.inf:
            raise ConversionError(f"{name} must be above 0, got {value}")
    for name, value in decays.items():
        if not 0 <= value < 1:
            raise ConversionError(f"{name} must be at least 0 and below 1, got {value}")


def _check_not_negative(**values: float) -> None:
    for name, value in values.items():
        if not 0 <= value < math.inf:
            raise ConversionError(f"{name} must be at least 0, got {value}")
