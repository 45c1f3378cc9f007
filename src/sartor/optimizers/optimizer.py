"""What every optimizer has to say."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol, runtime_checkable

from ..graph import Tensor

__all__ = ["Optimizer"]


@runtime_checkable
class Optimizer(Protocol):
    """What a file needs of an optimizer.

    Attributes:
        name: in the manifest.
        learning_rate: the default that the file states, or None to let the runtime choose.
        clip_norm: the gradients are scaled down to this global norm, or None.
        parameter_state: names of the tensors kept for each parameter, in its shape, zero at first.
        shared_state: names of the tensors [1] kept for all parameters together, zero at first.
    """

    @property
    def name(self) -> str: ...  # noqa: D102
    @property
    def learning_rate(self) -> float | None: ...  # noqa: D102
    @property
    def clip_norm(self) -> float | None: ...  # noqa: D102
    @property
    def parameter_state(self) -> tuple[str, ...]: ...  # noqa: D102
    @property
    def shared_state(self) -> tuple[str, ...]: ...  # noqa: D102

    def settings(self) -> dict[str, Any]:
        """What goes into the manifest."""
        ...

    def advance(self, shared_state: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Emit the next value of each of `shared_state`, once a step and before any `update`."""
        ...

    def update(
        self,
        parameter: Tensor,
        gradient: Tensor,
        parameter_state: Mapping[str, Tensor],
        shared_state: Mapping[str, Tensor],
        learning_rate: Tensor,
    ) -> tuple[Tensor, dict[str, Tensor]]:
        """Emit one parameter's step.

        Args:
            parameter: its value.
            gradient: of its shape.
            parameter_state: the values of its own state.
            shared_state: the values that `advance` returned.
            learning_rate: [1].

        Returns:
            The parameter's next value, and that of each of its states.
        """
        ...
