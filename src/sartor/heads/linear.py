"""The base class of heads that end in one linear layer."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from .._arguments import check_flag, check_number
from ..errors import ConversionError
from ..graph import Tensor
from ..ops import add, to_length
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

    Several features are flattened and concatenated. With `normalize` each sample is scaled to one
    Euclidean norm. All are then centered and scaled with statistics of the training samples, so
    that offset and scale of the base have no effect. Weights and bias start at zero: training is
    deterministic, and an untrained class is as probable as any other.

    Attributes:
        normalize: scale each sample to the norm `scale`. Classes then differ by direction alone.
        scale: Euclidean norm of normalized samples; > 0. The default is small: the bias is trained
            as fast as the weights, and few samples do not give overconfident predictions.
    """

    normalize: bool = False
    scale: float = 0.4

    flat = True

    def __post_init__(self) -> None:
        name = type(self).__name__
        check_flag(self.normalize, f"{name}: normalize", error=ConversionError)
        check_number(self.scale, f"{name}: scale", error=ConversionError)
        if not 0 < self.scale < math.inf:
            raise ConversionError(f"{name}: scale must be above 0, got {self.scale}")

    @property
    def feature_norm(self) -> float | None:
        """Root mean square of the norms of normalized features."""
        return self._statistics_norm

    @property
    def row_norm(self) -> float | None:
        """The norm that each sample is scaled to, or None."""
        return self.scale if self.normalize else None

    def settings(self) -> Mapping[str, Any]:
        """Return the options for the manifest; the loss has an entry of its own."""
        return {name: value for name, value in asdict(self).items() if name != "loss"}

    def identity(self) -> Mapping[str, Any]:
        """Return whether samples are scaled, and to which norm."""
        return {"normalize": self.normalize, "scale": self.scale if self.normalize else 1.0}

    def parameters(self, features: Sequence[tuple[int, ...]], capacity: int) -> list[Parameter]:
        """Return `weights` [C, F], `bias` [C], and the statistics `center` [F], `scale` [1]."""
        layer = self._layer_parameters(flat_size(features), capacity)
        return [*layer, *normalization_parameters(features)]

    def normalization_statistics(
        self, features: Sequence[Tensor], sample_weights: Tensor
    ) -> dict[str, Tensor]:
        """Emit the center and the scale of some samples (see `compute_statistics`)."""
        return compute_statistics(self._flatten(features), sample_weights, self._statistics_norm)

    def logits(self, features: Sequence[Tensor], parameters: Mapping[str, Tensor]) -> Tensor:
        """Emit `x · Wᵀ + b`."""
        products = normalized_linear(self._flatten(features), parameters["weights"], parameters)
        return add(products, parameters["bias"])

    @property
    def _statistics_norm(self) -> float:
        return self.scale if self.normalize else DEFAULT_NORM

    def _layer_parameters(self, size: int, capacity: int) -> list[Parameter]:
        """Return `weights` [C, size] and `bias` [C], zero."""
        return [
            Parameter("weights", np.zeros((capacity, size), np.float32), class_axis=0),
            Parameter("bias", np.zeros(capacity, np.float32), class_axis=0),
        ]

    def _layer_inputs(self, features: Sequence[Tensor], parameters: Mapping[str, Tensor]) -> Tensor:
        """Emit the input of the linear layer: normalized features [N, F]."""
        return normalize(self._flatten(features), parameters)

    def _flatten(self, features: Sequence[Tensor]) -> Tensor:
        """Emit features as rows [N, F], each scaled to one norm with `normalize`."""
        rows = flatten_features(features)
        return rows if self.row_norm is None else to_length(rows, self.row_norm)
