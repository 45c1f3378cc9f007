"""The multi-label classifier: each class says yes or no for itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ..graph import Tensor
from ..losses import SigmoidCrossEntropy
from ._imprint import imprint_label
from .linear import LinearLayer

__all__ = ["MultiLabelClassifier"]


@dataclass(frozen=True)
class MultiLabelClassifier(LinearLayer):
    """`sigmoid(x · Wᵀ + b)`: a sample may be of several classes, or of none.

    Attributes:
        normalize, scale, l2: see `LinearLayer`.
    """

    name = "multi_label_classifier"
    loss = SigmoidCrossEntropy()

    def imprint(
        self,
        features: Sequence[Tensor],
        weights: Tensor,
        parameters: Mapping[str, Tensor],
        others: Tensor,
    ) -> dict[str, Tensor]:
        """Say yes to what lies as the samples do (see `imprint_label`); the others stay."""
        return imprint_label(self._rows(features, parameters), weights)
