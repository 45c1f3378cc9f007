"""The protocol of an optimizer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol, runtime_checkable

from .._protocols import check_protocol
from ..contract.specs import StepSpec
from ..errors import ConversionError
from ..graph import Tensor

__all__ = ["Optimizer", "check_optimizer"]


@runtime_checkable
class Optimizer(Protocol):
    """An optimizer.

    Attributes:
        name: name in the manifest.
        learning_rate: default learning rate of the file, or None if the runtime chooses it.
        weight_decay: default weight decay of the file, or None if the runtime chooses it.
        clip_norm: largest global norm of the gradients, or None. Sartor clips before `update`.
        parameter_state: names of the tensors kept for each parameter, in its shape; initially 0.
        shared_state: names of the tensors [1] kept for all parameters together; initially 0.
        step: how it moves the parameters: the default learning rate and `sartor verify` need it.
    """

    @property
    def name(self) -> str: ...  # noqa: D102
    @property
    def learning_rate(self) -> float | None: ...  # noqa: D102
    @property
    def weight_decay(self) -> float | None: ...  # noqa: D102
    @property
    def clip_norm(self) -> float | None: ...  # noqa: D102
    @property
    def parameter_state(self) -> tuple[str, ...]: ...  # noqa: D102
    @property
    def shared_state(self) -> tuple[str, ...]: ...  # noqa: D102
    @property
    def step(self) -> StepSpec: ...  # noqa: D102

    def settings(self) -> dict[str, Any]:
        """Return the settings for the manifest: name → JSON value."""
        ...

    def advance(self, shared_state: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Emit the next value of each shared state, once in a step and before any `update`."""
        ...

    def update(
        self,
        parameter: Tensor,
        gradient: Tensor,
        parameter_state: Mapping[str, Tensor],
        shared_state: Mapping[str, Tensor],
        learning_rate: Tensor,
        weight_decay: Tensor,
    ) -> tuple[Tensor, dict[str, Tensor]]:
        """Emit the step of one parameter.

        Args:
            parameter: value of the parameter.
            gradient: its gradient, of the same shape.
            parameter_state: name → value of its state.
            shared_state: name → value, as `advance` returned it.
            learning_rate: learning rate [1].
            weight_decay: weight decay [1].

        Returns:
            The next value of the parameter, and name → next value of its state.
        """
        ...


def check_optimizer(optimizer: object, name: str) -> None:
    """Check an optimizer against the protocol.

    Args:
        optimizer: the optimizer.
        name: name of the argument, for the error.

    Raises:
        ConversionError: If it lacks an attribute, or has a step of another type.
    """
    check_protocol(optimizer, Optimizer, name, "SGD(momentum=0.9)")
    if isinstance(optimizer, Optimizer) and not isinstance(optimizer.step, StepSpec):
        raise ConversionError(
            f"{name}: step must be a StepSpec, such as StepSpec(adaptive=True); got "
            f"{optimizer.step!r}"
        )
