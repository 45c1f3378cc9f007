"""Losses of a regression: mean squared error and Huber."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from ..errors import ConversionError
from ..graph import Tensor
from ..ops import maximum, minimum, mul, neg, square, sub

__all__ = ["Huber", "MeanSquaredError"]


@dataclass(frozen=True)
class MeanSquaredError:
    """`(z − y)²` of each output, and the mean over them."""

    name = "mean_squared_error"
    task = "regression"
    weights_per_output = True

    def settings(self) -> Mapping[str, Any]:
        """What goes into the manifest."""
        return {}

    def output(self, logits: Tensor, mask: Tensor) -> Tensor:
        """The numbers themselves."""
        return mul(logits, mask, name="output")

    def rows(self, logits: Tensor, labels: Tensor, mask: Tensor) -> Tensor:
        """`(z − y)²`: [B, C]."""
        return square(sub(logits, labels))


@dataclass(frozen=True)
class Huber:
    """`d²/2` where `d = |z − y|` is at most δ, and `δ · (d − δ/2)` beyond (Huber, 1964).

    An outlier pulls no harder than δ.

    Attributes:
        delta: δ > 0, in the unit of the targets.
    """

    delta: float = 1.0

    name = "huber"
    task = "regression"
    weights_per_output = True

    def __post_init__(self) -> None:
        if not 0 < self.delta < math.inf:
            raise ConversionError(f"Huber: delta must be above 0, got {self.delta}")

    def settings(self) -> Mapping[str, Any]:
        """What goes into the manifest."""
        return asdict(self)

    def output(self, logits: Tensor, mask: Tensor) -> Tensor:
        """The numbers themselves."""
        return mul(logits, mask, name="output")

    def rows(self, logits: Tensor, labels: Tensor, mask: Tensor) -> Tensor:
        """With `c = min(d, δ)` both branches are `c · (d − c/2)`: [B, C]."""
        error = sub(logits, labels)
        size = maximum(error, neg(error))
        capped = minimum(size, self.delta)
        return mul(capped, sub(size, mul(capped, 0.5)))
