"""The multi-label classifier: a probability for each class, independent of the others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ..graph import Tensor
from ..losses import SigmoidCrossEntropy
from ._imprint import imprint_sigmoid
from .linear import LinearLayer

__all__ = ["MultiLabelClassifier"]


@dataclass(frozen=True)
class MultiLabelClassifier(LinearLayer):
    """`sigmoid(x · Wᵀ + b)`: a sample can belong to several classes, or to none."""

    name = "multi_label_classifier"
    loss = SigmoidCrossEntropy()

    def imprint(
        self,
        features: Sequence[Tensor],
        sample_weights: Tensor,
        parameters: Mapping[str, Tensor],
        other_classes: Tensor,
    ) -> dict[str, Tensor]:
        """Emit the weights of a class (see `imprint_sigmoid`)."""
        return imprint_sigmoid(self._layer_inputs(features, parameters), sample_weights)
