"""The base class of heads that end in one linear layer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from ..graph import Tensor
from ..ops import add
from ._features import flat_size, flatten_features
from ._normalization import (
    DEFAULT_NORM,
    compute_statistics,
    normalization_parameters,
    normalize,
    normalized_linear,
)
from .head import Parameter

__all__ = ["LinearLayer"]


@dataclass(frozen=True)
class LinearLayer:
    """`x · Wᵀ + b`, with `x` the normalized features; subclasses add a loss and `imprint`.

    Several features are flattened and concatenated. They are centered and scaled with statistics of
    the training samples, so that offset and scale of the base have no effect. Weights and bias
    start at zero: training is deterministic, and an untrained class is as probable as any other.
    """

    flat = True

    @property
    def feature_norm(self) -> float | None:
        """Root mean square of the norms of normalized features."""
        return DEFAULT_NORM

    def settings(self) -> Mapping[str, Any]:
        """Return the options for the manifest; the loss has an entry of its own."""
        return {name: value for name, value in asdict(self).items() if name != "loss"}

    def identity(self) -> Mapping[str, Any]:
        """Return nothing: the parameters state the layer."""
        return {}

    def parameters(self, features: Sequence[tuple[int, ...]], capacity: int) -> list[Parameter]:
        """Return `weights` [C, F], `bias` [C], and the statistics `center` [F], `scale` [1]."""
        layer = self._layer_parameters(flat_size(features), capacity)
        return [*layer, *normalization_parameters(features)]

    def normalization_statistics(
        self,
        features: Sequence[Tensor],
        sample_weights: Tensor,
        parameters: Mapping[str, Tensor],
    ) -> dict[str, Tensor]:
        """Emit the center and the scale of some samples (see `compute_statistics`)."""
        return compute_statistics(flatten_features(features), sample_weights, DEFAULT_NORM)

    def logits(self, features: Sequence[Tensor], parameters: Mapping[str, Tensor]) -> Tensor:
        """Emit `x · Wᵀ + b`."""
        rows = flatten_features(features)
        products = normalized_linear(rows, parameters["weights"], parameters)
        return add(products, parameters["bias"])

    def _layer_parameters(self, size: int, capacity: int) -> list[Parameter]:
        """Return `weights` [C, size] and `bias` [C], zero."""
        return [
            Parameter("weights", np.zeros((capacity, size), np.float32), class_axis=0),
            Parameter("bias", np.zeros(capacity, np.float32), class_axis=0),
        ]

    def _layer_inputs(self, features: Sequence[Tensor], parameters: Mapping[str, Tensor]) -> Tensor:
        """Emit the input of the linear layer: normalized features [N, F]."""
        return normalize(flatten_features(features), parameters)
