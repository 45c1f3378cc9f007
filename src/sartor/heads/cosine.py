"""The cosine classifier: each class is a direction."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from .._arguments import check_number
from ..errors import ConversionError
from ..graph import Tensor
from ..losses import SoftmaxCrossEntropy
from ..ops import l2_normalization, linear, maximum, mul, reduce_sum, rsqrt, square, to_length
from ._features import flat_size, flatten_features, weighted_mean
from ._normalization import compute_statistics, normalization_parameters, normalize
from .head import Parameter

__all__ = ["CosineClassifier"]

_MIN_NORM = 0.1  # weights below this norm are not scaled up: the gradient at zero stays finite


@dataclass(frozen=True)
class CosineClassifier:
    """`softmax(scale · cos(x, w))` (Qi et al., 2018): the norm of the weights has no effect.

    Directions are measured from the center of the training samples. Weights start at zero, where
    the cosine is defined as 0.

    Attributes:
        scale: largest logit; > 0. A small value limits the largest probability; a large value
            gives overconfident predictions after few samples.
        label_smoothing: see `SoftmaxCrossEntropy`.
    """

    scale: float = 10.0
    label_smoothing: float = 0.0

    name = "cosine_classifier"
    flat = True

    def __post_init__(self) -> None:
        check_number(self.scale, "CosineClassifier: scale", error=ConversionError)
        if not 0 < self.scale < math.inf:
            raise ConversionError(f"CosineClassifier: scale must be above 0, got {self.scale}")
        SoftmaxCrossEntropy(self.label_smoothing)  # checks the value

    @property
    def loss(self) -> SoftmaxCrossEntropy:
        """Cross-entropy."""
        return SoftmaxCrossEntropy(self.label_smoothing)

    @property
    def feature_norm(self) -> float:
        """The scale."""
        return self.scale

    def settings(self) -> Mapping[str, Any]:
        """Return the options for the manifest."""
        return asdict(self)

    def identity(self) -> Mapping[str, Any]:
        """Return nothing: directions can be loaded with any scale."""
        return {}

    def parameters(self, features: Sequence[tuple[int, ...]], capacity: int) -> list[Parameter]:
        """Return `weights` [C, F], and the statistics `center` [F], `scale` [1]."""
        weights = np.zeros((capacity, flat_size(features)), np.float32)
        return [Parameter("weights", weights, class_axis=0), *normalization_parameters(features)]

    def normalization_statistics(
        self,
        features: Sequence[Tensor],
        sample_weights: Tensor,
        parameters: Mapping[str, Tensor],
    ) -> dict[str, Tensor]:
        """Emit the center and the scale of some samples (see `compute_statistics`)."""
        return compute_statistics(flatten_features(features), sample_weights, self.scale)

    def logits(self, features: Sequence[Tensor], parameters: Mapping[str, Tensor]) -> Tensor:
        """Emit `scale · x/‖x‖ · w/‖w‖`."""
        rows = to_length(self._normalize(features, parameters), self.scale)
        weights = parameters["weights"]
        squares = reduce_sum(square(weights), [1], keep_dims=True)
        return linear(rows, mul(weights, rsqrt(maximum(squares, _MIN_NORM**2))))

    def imprint(
        self,
        features: Sequence[Tensor],
        sample_weights: Tensor,
        parameters: Mapping[str, Tensor],
        other_classes: Tensor,
    ) -> dict[str, Tensor]:
        """Emit the direction of the mean of the samples."""
        mean = weighted_mean(self._normalize(features, parameters), sample_weights)
        return {"weights": l2_normalization(mean)}

    def _normalize(self, features: Sequence[Tensor], parameters: Mapping[str, Tensor]) -> Tensor:
        """Emit normalized features [N, F]."""
        return normalize(flatten_features(features), parameters)
