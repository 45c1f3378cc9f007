"""Cross-entropy, by softmax or by sigmoid."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

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

__all__ = ["SigmoidCrossEntropy", "SoftmaxCrossEntropy"]

_OFF = 1e9  # what an inactive class's logit is lowered by: its probability is exactly 0


@dataclass(frozen=True)
class SoftmaxCrossEntropy:
    """Cross-entropy between targets and the softmax over active classes.

    Attributes:
        label_smoothing: the part of each target that is spread evenly over the active classes
            (Szegedy et al., 2016); 0 ≤ it < 1.
    """

    label_smoothing: float = 0.0

    name = "softmax_cross_entropy"
    task = "classification"
    weights_per_output = False

    def __post_init__(self) -> None:
        if not 0 <= self.label_smoothing < 1:
            raise ConversionError(
                f"label_smoothing must be at least 0 and below 1, got {self.label_smoothing}"
            )

    def settings(self) -> Mapping[str, Any]:
        """What goes into the manifest."""
        return asdict(self)

    def output(self, logits: Tensor, mask: Tensor) -> Tensor:
        """The probabilities; all 0 while no class is active."""
        return mul(softmax(_masked(logits, mask)), mask, name="output")

    def rows(self, logits: Tensor, labels: Tensor, mask: Tensor) -> Tensor:
        """`−Σ target · ln p` of each sample: [B]."""
        targets = mul(labels, mask)
        if self.label_smoothing:
            targets = _smoothed(targets, mask, self.label_smoothing)
        return reduce_sum(mul(neg(targets), log_softmax(_masked(logits, mask))), [1])


@dataclass(frozen=True)
class SigmoidCrossEntropy:
    """Cross-entropy of each output for itself: a sample may be of several classes, or of none."""

    name = "sigmoid_cross_entropy"
    task = "multi_label"
    weights_per_output = True

    def settings(self) -> Mapping[str, Any]:
        """What goes into the manifest."""
        return {}

    def output(self, logits: Tensor, mask: Tensor) -> Tensor:
        """The probability of each class."""
        return mul(logistic(logits), mask, name="output")

    def rows(self, logits: Tensor, labels: Tensor, mask: Tensor) -> Tensor:
        """`max(z, 0) − z·y + ln(1 + e^−|z|)`, which no logit overflows: [B, C]."""
        positive = relu(logits)
        size = sub(mul(positive, 2.0), logits)  # |z|
        return add(sub(positive, mul(logits, labels)), log(add(exp(neg(size)), 1.0)))


def _masked(logits: Tensor, mask: Tensor) -> Tensor:
    return add(logits, mul(sub(mask, 1.0), _OFF))


def _smoothed(targets: Tensor, mask: Tensor, smoothing: float) -> Tensor:
    """`(1 − ε) · target + ε · Σ target / (active classes)`, over the active classes."""
    even = div(mask, maximum(reduce_sum(mask, [0], keep_dims=True), 1.0))
    spread = mul(reduce_sum(targets, [1], keep_dims=True), even)
    return add(mul(targets, 1.0 - smoothing), mul(spread, smoothing))
