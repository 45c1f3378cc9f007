"""The cosine classifier: classes are directions, and nothing else."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from ..errors import ConversionError
from ..graph import Tensor
from ..losses import SoftmaxCrossEntropy
from ..ops import linear, maximum, mul, reduce_sum, rsqrt, square, to_length
from ._rows import as_rows, mean_direction, row_size
from .head import Parameter

__all__ = ["CosineClassifier"]

_FLOOR = 0.1  # shorter weights count as they are: what starts at zero has a finite slope


@dataclass(frozen=True)
class CosineClassifier:
    """`softmax(scale · cos(x, w))` (Qi et al., 2018): no class is louder than another.

    Weights start at zero, where the cosine is taken for 0; a class that is imprinted or trained
    has left it for good.

    Attributes:
        scale: the greatest logit; > 0. Small, and no class is ever certain; large, and few
            samples are believed too much.
        label_smoothing: see `SoftmaxCrossEntropy`.
    """

    scale: float = 10.0
    label_smoothing: float = 0.0

    name = "cosine_classifier"
    flat = True

    def __post_init__(self) -> None:
        if not 0 < self.scale < math.inf:
            raise ConversionError(f"CosineClassifier: scale must be above 0, got {self.scale}")
        SoftmaxCrossEntropy(self.label_smoothing)

    @property
    def loss(self) -> SoftmaxCrossEntropy:
        """Cross-entropy."""
        return SoftmaxCrossEntropy(self.label_smoothing)

    @property
    def features_length(self) -> float:
        """The scale."""
        return self.scale

    def settings(self) -> Mapping[str, Any]:
        """What goes into the manifest."""
        return asdict(self)

    def identity(self) -> Mapping[str, Any]:
        """Nothing: directions are directions at any scale."""
        return {}

    def parameters(self, features: Sequence[tuple[int, ...]], capacity: int) -> list[Parameter]:
        """`weights` [C, F], zero."""
        shape = (capacity, row_size(features))
        return [Parameter("weights", np.zeros(shape, np.float32), class_axis=0)]

    def logits(self, features: Sequence[Tensor], parameters: Mapping[str, Tensor]) -> Tensor:
        """`scale · x/‖x‖ · w/‖w‖`."""
        rows, weights = to_length(as_rows(features), self.scale), parameters["weights"]
        squares = reduce_sum(square(weights), [1], keep_dims=True)
        return linear(rows, mul(weights, rsqrt(maximum(squares, _FLOOR**2))))

    def penalty(self, parameters: Mapping[str, Tensor]) -> Tensor | None:
        """None: the length of the weights does not matter."""
        return None

    def imprint(
        self,
        features: Sequence[Tensor],
        weights: Tensor,
        parameters: Mapping[str, Tensor],
        others: Tensor,
    ) -> dict[str, Tensor]:
        """The direction of the samples' mean, each brought to length 1."""
        return {"weights": mean_direction(as_rows(features), weights)}
