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
    """`softmax(x · Wᵀ + b)`, or with `normalize` `softmax(scale · x/‖x‖ · Wᵀ + b)`.

    Attributes:
        normalize, scale, l2: see `LinearLayer`.
        label_smoothing: see `SoftmaxCrossEntropy`.
    """

    label_smoothing: float = 0.0

    name = "softmax_classifier"

    def __post_init__(self) -> None:
        super().__post_init__()
        SoftmaxCrossEntropy(self.label_smoothing)

    @property
    def loss(self) -> SoftmaxCrossEntropy:
        """Cross-entropy."""
        return SoftmaxCrossEntropy(self.label_smoothing)

    def parameters(self, features: Sequence[tuple[int, ...]], capacity: int) -> list[Parameter]:
        """As of `LinearLayer`, and the `gain` [1] of imprinted classes."""
        gain = Parameter("gain", np.zeros(1, np.float32), trained=False)
        return [*super().parameters(features, capacity), gain]

    def imprint(
        self,
        features: Sequence[Tensor],
        weights: Tensor,
        parameters: Mapping[str, Tensor],
        others: Tensor,
    ) -> dict[str, Tensor]:
        """Point the class's weights the way its samples lie (see `imprint_softmax`)."""
        return imprint_softmax(self._rows(features, parameters), weights, parameters, others)
