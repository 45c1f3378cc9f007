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
    greater,
    l2_normalization,
    linear,
    matmul,
    maximum,
    mul,
    reduce_sum,
    relu,
    reshape,
    rsqrt,
    select,
    sqrt,
    square,
    sub,
    to_length,
)
from .head import Parameter

__all__ = ["SoftmaxClassifier"]


@dataclass(frozen=True)
class SoftmaxClassifier:
    """`softmax(x · Wᵀ + b)`, or with `normalize` `softmax(scale · x/‖x‖ · Wᵀ + b)`.

    Several features are flattened and joined. Weights and bias start at zero, so that training
    is deterministic and a class without samples is as likely as any other.

    Attributes:
        normalize: bring features to length 1 first: classes then differ by direction alone.
        scale: the length that normalized features get; > 0. Small, so that the bias learns as
            fast as the weights, and few samples are not believed too much.
        l2: λ of the penalty `λ/2 · ‖W‖²`; the bias goes free. The default training stops early
            enough to need none: no single λ is right for both ten and two hundred samples.
        label_smoothing: see `SoftmaxCrossEntropy`.
    """

    normalize: bool = False
    scale: float = 0.4
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

    @property
    def features_length(self) -> float | None:
        """The scale, where features are normalized."""
        return self.scale if self.normalize else None

    def settings(self) -> Mapping[str, Any]:
        """What goes into the manifest."""
        return asdict(self)

    def identity(self) -> Mapping[str, Any]:
        """Whether features are normalized, and to what length."""
        return {"normalize": self.normalize, "scale": self.scale if self.normalize else 1.0}

    def parameters(self, features: Sequence[tuple[int, ...]], capacity: int) -> list[Parameter]:
        """`weights` [C, F] and `bias` [C], zero; and the `gain` [1] of imprinted classes."""
        size = sum(math.prod(shape) for shape in features)
        return [
            Parameter("weights", np.zeros((capacity, size), np.float32), class_axis=0),
            Parameter("bias", np.zeros(capacity, np.float32), class_axis=0),
            Parameter("gain", np.zeros(1, np.float32), trained=False),
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
        self,
        features: Sequence[Tensor],
        weights: Tensor,
        parameters: Mapping[str, Tensor],
        others: Tensor,
    ) -> dict[str, Tensor]:
        """Point the class's weights the way its samples lie (see `Head.imprint`).

        `u` is the direction of the samples' mean, each brought to length 1; `W̄` is what the other
        active classes have in common, and `ρ` how far they lie from it on average; `p` is the part
        of `u` that `W̄` does not explain. Then

            w = gain · u + max(ρ − gain · ‖p‖, 0) · p/‖p‖,    b = the mean of the others' b.

        Among classes that are only imprinted that is `gain · u`, with one gain for all: the first
        class sets it, so that its own samples have logits of about 1. Beside trained classes the
        class's own direction is lifted to their magnitude, and the common one is left alone.
        """
        rows = self._rows(features)
        classes, bias = parameters["weights"], parameters["bias"]
        count = maximum(reduce_sum(others, [0], keep_dims=True), 1.0)
        common = div(matmul(reshape(others, (1, -1)), classes), count)
        apart = sqrt(reduce_sum(square(sub(classes, common)), [1]))
        spread = div(_dot(apart, others), count)
        gain = self._gain(rows, weights, parameters["gain"], others)

        column = reshape(weights, (-1, 1))
        toward = reduce_sum(mul(l2_normalization(rows), column), [0], keep_dims=True)
        direction = l2_normalization(toward)
        shared = l2_normalization(common)
        along = reduce_sum(mul(direction, shared), [1], keep_dims=True)
        own = sub(direction, mul(shared, along))
        length = reshape(sqrt(reduce_sum(square(own), [1])), (1,))
        lift = mul(l2_normalization(own), relu(sub(spread, mul(gain, length))))
        return {
            "weights": add(mul(direction, gain), lift),
            "bias": div(_dot(bias, others), count),
            "gain": gain,
        }

    def _gain(self, rows: Tensor, weights: Tensor, gain: Tensor, others: Tensor) -> Tensor:
        """The gain in use, or for the first class one that brings its logits to about 1: [1]."""
        squares = reduce_sum(square(rows), [1])
        mean = div(_dot(squares, weights), maximum(reduce_sum(weights, [0], keep_dims=True), 1e-6))
        in_use = mul(gain, reduce_sum(others, [0], keep_dims=True))
        fresh = select(greater(mean, 0.0), rsqrt(maximum(mean, 1e-30)), 0.0)
        return select(greater(in_use, 0.0), gain, fresh)

    def _rows(self, features: Sequence[Tensor]) -> Tensor:
        """Features as rows [N, F], joined and, if asked, normalized."""
        flat = [flatten(tensor) for tensor in features]
        rows = flat[0] if len(flat) == 1 else concatenation(flat, 1)
        return to_length(rows, self.scale) if self.normalize else rows


def _dot(x: Tensor, y: Tensor) -> Tensor:
    """`Σ x · y` of two tensors [N], as [1]."""
    return reduce_sum(mul(x, y), [0], keep_dims=True)
