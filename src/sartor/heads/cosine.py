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
from ._view import seen, view_of, view_parameters
from .head import Parameter

__all__ = ["CosineClassifier"]

_FLOOR = 0.1  # shorter weights count as they are: what starts at zero has a finite slope


@dataclass(frozen=True)
class CosineClassifier:
    """`softmax(scale · cos(x, w))` (Qi et al., 2018): no class is louder than another.

    Directions are seen from the center of all features (`view`).

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
    def feature_norm(self) -> float:
        """The scale."""
        return self.scale

    def settings(self) -> Mapping[str, Any]:
        """What goes into the manifest."""
        return asdict(self)

    def identity(self) -> Mapping[str, Any]:
        """Nothing: directions are directions at any scale."""
        return {}

    def parameters(self, features: Sequence[tuple[int, ...]], capacity: int) -> list[Parameter]:
        """`weights` [C, F], zero; and the view: `center` [F] and `scale` [1]."""
        weights = np.zeros((capacity, row_size(features)), np.float32)
        return [Parameter("weights", weights, class_axis=0), *view_parameters(features)]

    def view(self, features: Sequence[Tensor], weights: Tensor) -> dict[str, Tensor]:
        """The center of some samples, and what brings them to one size (see `view_of`)."""
        return view_of(as_rows(features), weights, self.scale)

    def logits(self, features: Sequence[Tensor], parameters: Mapping[str, Tensor]) -> Tensor:
        """`scale · x/‖x‖ · w/‖w‖`."""
        rows = to_length(self._rows(features, parameters), self.scale)
        weights = parameters["weights"]
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
        return {"weights": mean_direction(self._rows(features, parameters), weights)}

    def _rows(self, features: Sequence[Tensor], parameters: Mapping[str, Tensor]) -> Tensor:
        """Features as rows [N, F], as they are seen from the center."""
        return seen(as_rows(features), parameters)
