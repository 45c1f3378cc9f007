"""The regressor: each output is a number."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from ..errors import ConversionError
from ..graph import Tensor
from ..losses import Loss, MeanSquaredError, check_loss
from ._imprint import imprint_zero
from .linear import LinearLayer

__all__ = ["Regressor"]


@dataclass(frozen=True)
class Regressor(LinearLayer):
    """`x · Wᵀ + b`: a number for each of C outputs.

    Samples without targets say nothing about an output, so `set_class` sets its weights to 0.

    Attributes:
        loss: `MeanSquaredError()` or `Huber(δ)`.
    """

    loss: Loss = field(default_factory=MeanSquaredError)

    name = "regressor"

    def __post_init__(self) -> None:
        check_loss(self.loss, "Regressor: loss")
        if self.loss.task != "regression":
            raise ConversionError(
                f"Regressor: loss must have the task 'regression', such as Huber(); got "
                f"{self.loss!r}"
            )

    def imprint(
        self,
        features: Sequence[Tensor],
        sample_weights: Tensor,
        parameters: Mapping[str, Tensor],
        other_classes: Tensor,
    ) -> dict[str, Tensor]:
        """Emit zero weights: training starts from there."""
        return imprint_zero(self._layer_inputs(features, parameters), sample_weights)
