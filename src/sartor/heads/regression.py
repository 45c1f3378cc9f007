"""The regressor: each output is a number."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..errors import ConversionError
from ..graph import Tensor
from ..losses import Loss, MeanSquaredError, check_loss
from ._imprint import imprint_zero
from .linear import LinearLayer

__all__ = ["Regressor"]


@dataclass(frozen=True)
class Regressor(LinearLayer):
    """`x · Wᵀ + b`: a number for each of C outputs.

    No sample says by itself what number it has: `set_class` makes an output that is 0 until it is
    trained, or wipes it.

    Attributes:
        normalize, scale, l2: see `LinearLayer`.
        loss: `MeanSquaredError()` or `Huber(δ)`.
    """

    loss: Loss = field(default_factory=MeanSquaredError)

    name = "regressor"

    def __post_init__(self) -> None:
        super().__post_init__()
        check_loss(self.loss, "Regressor: loss")
        if self.loss.task != "regression":
            raise ConversionError(
                f"Regressor: loss must have the task 'regression', such as Huber(); got "
                f"{self.loss!r}"
            )

    def settings(self) -> Mapping[str, Any]:
        """What goes into the manifest; the loss stands there by itself."""
        return {name: value for name, value in super().settings().items() if name != "loss"}

    def imprint(
        self,
        features: Sequence[Tensor],
        weights: Tensor,
        parameters: Mapping[str, Tensor],
        others: Tensor,
    ) -> dict[str, Tensor]:
        """Zero: the output is trained from there."""
        return imprint_zero(self._rows(features, parameters), weights)
