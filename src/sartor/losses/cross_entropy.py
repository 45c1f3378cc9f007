"""Cross-entropy losses, with softmax or sigmoid."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from .._arguments import check_number
from ..errors import ConversionError
from ..graph import Tensor
from ..ops import (
    add,
    div,
    exp,
    log,
    log_softmax,
    logistic,
    maximum,
    mul,
    neg,
    reduce_sum,
    relu,
    softmax,
    sub,
)
from ._mask import masked_logits

__all__ = ["SigmoidCrossEntropy", "SoftmaxCrossEntropy"]


@dataclass(frozen=True)
class SoftmaxCrossEntropy:
    """Cross-entropy between targets and the softmax over active classes.

    Attributes:
        label_smoothing: fraction of each target that is spread evenly over the active classes
            (Szegedy et al., 2016), 0 ≤ label_smoothing < 1. Default: 0.
    """

    label_smoothing: float = 0.0

    name = "softmax_cross_entropy"
    task = "classification"
    weights_per_output = False
    curvature = 1 / 3  # p(1 − p) ≤ 1/4; the largest eigenvalue, 1/2, occurs with two classes only

    def __post_init__(self) -> None:
        check_number(self.label_smoothing, "label_smoothing", error=ConversionError)
        if not 0 <= self.label_smoothing < 1:
            raise ConversionError(
                f"label_smoothing must be at least 0 and below 1, got {self.label_smoothing}"
            )

    def settings(self) -> Mapping[str, Any]:
        """Return the settings for the manifest."""
        return asdict(self)

    def output(self, logits: Tensor, mask: Tensor) -> Tensor:
        """Emit the probabilities; all are 0 if no class is active."""
        return mul(softmax(masked_logits(logits, mask)), mask, name="output")

    def rows(self, logits: Tensor, labels: Tensor, mask: Tensor) -> Tensor:
        """Emit `−Σ target · ln p` of each sample: [B]."""
        targets = mul(labels, mask)
        if self.label_smoothing:
            targets = _smoothed(targets, mask, self.label_smoothing)
        return reduce_sum(mul(neg(targets), log_softmax(masked_logits(logits, mask))), [1])


@dataclass(frozen=True)
class SigmoidCrossEntropy:
    """Cross-entropy of each output with the sigmoid: a sample has any number of classes."""

    name = "sigmoid_cross_entropy"
    task = "multi_label"
    weights_per_output = True
    curvature = 1 / 4

    def settings(self) -> Mapping[str, Any]:
        """Return the settings for the manifest."""
        return {}

    def output(self, logits: Tensor, mask: Tensor) -> Tensor:
        """Emit the probability of each class."""
        return mul(logistic(logits), mask, name="output")

    def rows(self, logits: Tensor, labels: Tensor, mask: Tensor) -> Tensor:
        """Emit `max(z, 0) − z·y + ln(1 + e^−|z|)`, which does not overflow: [B, C]."""
        positive = relu(logits)
        size = sub(mul(positive, 2.0), logits)  # |z|
        return add(sub(positive, mul(logits, labels)), log(add(exp(neg(size)), 1.0)))


def _smoothed(targets: Tensor, mask: Tensor, smoothing: float) -> Tensor:
    """Emit `(1 − ε) · target + ε · Σ target / (active classes)`, over the active classes."""
    even = div(mask, maximum(reduce_sum(mask, [0], keep_dims=True), 1.0))
    spread = mul(reduce_sum(targets, [1], keep_dims=True), even)
    return add(mul(targets, 1.0 - smoothing), mul(spread, smoothing))
