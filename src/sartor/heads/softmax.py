"""The softmax classifier: one linear layer, which few samples train well."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from ..errors import ConversionError
from ..graph import Tensor
from ..losses import SoftmaxCrossEntropy
from ..ops import (
    add,
    concatenation,
    div,
    flatten,
    l2_normalization,
    linear,
    maximum,
    mul,
    reduce_sum,
    reshape,
    square,
)  # fmt: skip
from .head import Parameter

__all__ = ["SoftmaxClassifier"]


@dataclass(frozen=True)
class SoftmaxClassifier:
    """`softmax(x · Wᵀ + b)`, or with `normalize` `softmax(scale · x/‖x‖ · Wᵀ + b)`.

    Several features are flattened and joined. Weights and bias start at zero, so that training
    is deterministic and a class without samples is as likely as any other.

    Attributes:
        normalize: bring features to length 1 first: classes then differ by direction alone.
        scale: what the normalized features are multiplied by; > 0.
        l2: λ of the penalty `λ/2 · ‖W‖²`; the bias goes free.
        label_smoothing: see `SoftmaxCrossEntropy`.
    """

    normalize: bool = False
    scale: float = 16.0
    l2: float = 0.0
    label_smoothing: float = 0.0

    name = "softmax_classifier"
    flat = True

    def __post_init__(self) -> None:
        if not 0 < self.scale < math.inf:
            raise ConversionError(f"SoftmaxClassifier: scale must be above 0, got {self.scale}")
        if not 0 <= self.l2 < math.inf:
            raise ConversionError(f"SoftmaxClassifier: l2 must be at least 0, got {self.l2}")
        SoftmaxCrossEntropy(self.label_smoothing)

    @property
    def loss(self) -> SoftmaxCrossEntropy:
        """Cross-entropy."""
        return SoftmaxCrossEntropy(self.label_smoothing)

    def settings(self) -> Mapping[str, Any]:
        """What goes into the manifest."""
        return asdict(self)

    def identity(self) -> Mapping[str, Any]:
        """Whether features are normalized, and to what length."""
        return {"normalize": self.normalize, "scale": self.scale if self.normalize else 1.0}

    def parameters(self, features: Sequence[tuple[int, ...]], capacity: int) -> list[Parameter]:
        """`weights` [C, F] and `bias` [C], zero."""
        size = sum(math.prod(shape) for shape in features)
        return [
            Parameter("weights", np.zeros((capacity, size), np.float32), class_axis=0),
            Parameter("bias", np.zeros(capacity, np.float32), class_axis=0),
        ]

    def logits(self, features: Sequence[Tensor], parameters: Mapping[str, Tensor]) -> Tensor:
        """`x · Wᵀ + b`."""
        return add(linear(self._rows(features), parameters["weights"]), parameters["bias"])

    def penalty(self, parameters: Mapping[str, Tensor]) -> Tensor | None:
        """`λ/2 · ‖W‖²`."""
        if not self.l2:
            return None
        squares = reduce_sum(square(parameters["weights"]), [0, 1])
        return mul(reshape(squares, (1,)), self.l2 / 2)

    def imprint(
        self, features: Sequence[Tensor], weights: Tensor, parameters: Mapping[str, Tensor]
    ) -> dict[str, Tensor]:
        """PLACEHOLDER."""
        rows = self._rows(features)
        column = reshape(weights, (-1, 1))
        total = maximum(reduce_sum(weights, [0], keep_dims=True), 1e-6)
        mean = div(reduce_sum(mul(rows, column), [0], keep_dims=True), total)
        direction = l2_normalization(mean)
        return {"weights": direction, "bias": reshape(mul(total, 0.0), (1,))}

    def _rows(self, features: Sequence[Tensor]) -> Tensor:
        """Features as rows [N, F], joined and, if asked, normalized."""
        flat = [flatten(tensor) for tensor in features]
        rows = flat[0] if len(flat) == 1 else concatenation(flat, 1)
        return mul(l2_normalization(rows), self.scale) if self.normalize else rows
