"""The softmax classifier: one linear layer, which few samples train well."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ..graph import Tensor
from ..losses import SoftmaxCrossEntropy
from ._imprint import imprint_softmax
from .head import Parameter
from .linear import LinearLayer

__all__ = ["SoftmaxClassifier"]


@dataclass(frozen=True)
class SoftmaxClassifier(LinearLayer):
    """`softmax(x · Wᵀ + b)`, the default head.

    Attributes:
        label_smoothing: see `SoftmaxCrossEntropy`.
    """

    label_smoothing: float = 0.0

    name = "softmax_classifier"

    def __post_init__(self) -> None:
        SoftmaxCrossEntropy(self.label_smoothing)  # checks the value

    @property
    def loss(self) -> SoftmaxCrossEntropy:
        """Cross-entropy."""
        return SoftmaxCrossEntropy(self.label_smoothing)

    def parameters(self, features: Sequence[tuple[int, ...]], capacity: int) -> list[Parameter]:
        """Return those of `LinearLayer`, and the `gain` [1] of imprinted classes."""
        gain = Parameter("gain", np.zeros(1, np.float32), trainable=False)
        return [*super().parameters(features, capacity), gain]

    def imprint(
        self,
        features: Sequence[Tensor],
        sample_weights: Tensor,
        parameters: Mapping[str, Tensor],
        other_classes: Tensor,
    ) -> dict[str, Tensor]:
        """Emit weights in the direction of the samples (see `imprint_softmax`)."""
        rows = self._layer_inputs(features, parameters)
        return imprint_softmax(rows, sample_weights, parameters, other_classes)
