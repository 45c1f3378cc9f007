"""Losses for regression: mean squared error and Huber."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from .._arguments import check_number
from ..errors import ConversionError
from ..graph import Tensor
from ..ops import maximum, minimum, mul, neg, square, sub

__all__ = ["Huber", "MeanSquaredError"]


@dataclass(frozen=True)
class MeanSquaredError:
    """The mean of `(z − y)²` over the outputs."""

    name = "mean_squared_error"
    task = "regression"
    weights_per_output = True
    curvature = 2.0

    def settings(self) -> Mapping[str, Any]:
        """Return the settings for the manifest."""
        return {}

    def output(self, logits: Tensor, mask: Tensor) -> Tensor:
        """Emit the logits of the active outputs."""
        return mul(logits, mask, name="output")

    def rows(self, logits: Tensor, labels: Tensor, mask: Tensor) -> Tensor:
        """Emit `(z − y)²`: [B, C]."""
        return square(sub(logits, labels))


@dataclass(frozen=True)
class Huber:
    """`d²/2` if `d = |z − y|` is at most δ, else `δ · (d − δ/2)` (Huber, 1964).

    The gradient by an output is at most δ, which limits the effect of outliers.

    Attributes:
        delta: δ > 0, in the unit of the targets. Default: 1.
    """

    delta: float = 1.0

    name = "huber"
    task = "regression"
    weights_per_output = True
    curvature = 1.0

    def __post_init__(self) -> None:
        check_number(self.delta, "Huber: delta", error=ConversionError)
        if not 0 < self.delta < math.inf:
            raise ConversionError(f"Huber: delta must be above 0, got {self.delta}")

    def settings(self) -> Mapping[str, Any]:
        """Return the settings for the manifest."""
        return asdict(self)

    def output(self, logits: Tensor, mask: Tensor) -> Tensor:
        """Emit the logits of the active outputs."""
        return mul(logits, mask, name="output")

    def rows(self, logits: Tensor, labels: Tensor, mask: Tensor) -> Tensor:
        """Emit `c · (d − c/2)` with `c = min(d, δ)`, which is both branches: [B, C]."""
        error = sub(logits, labels)
        size = maximum(error, neg(error))
        capped = minimum(size, self.delta)
        return mul(capped, sub(size, mul(capped, 0.5)))
