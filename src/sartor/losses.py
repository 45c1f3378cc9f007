"""Losses: from logits and targets to what training makes small, as ops."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Protocol, runtime_checkable

from .errors import ConversionError
from .graph import Tensor
from .ops import (
    add,
    div,
    exp,
    log,
    log_softmax,
    logistic,
    maximum,
    minimum,
    mul,
    neg,
    reduce_sum,
    relu,
    softmax,
    square,
    sub,
)

__all__ = [
    "Huber",
    "Loss",
    "MeanSquaredError",
    "SigmoidCrossEntropy",
    "SoftmaxCrossEntropy",
    "weighted_mean",
]

_OFF = 1e9  # what an inactive class's logit is lowered by: its probability is exactly 0


@runtime_checkable
class Loss(Protocol):
    """What a file needs of a loss, and of the output that goes with it.

    Attributes:
        name: in the manifest.
        task: `classification` (one class a sample), `multi_label` or `regression`.
        weights_per_output: `rows` gives [B, C], and a sample has a weight for each output.
    """

    @property
    def name(self) -> str: ...  # noqa: D102
    @property
    def task(self) -> str: ...  # noqa: D102
    @property
    def weights_per_output(self) -> bool: ...  # noqa: D102

    def settings(self) -> Mapping[str, Any]:
        """What goes into the manifest."""
        ...

    def output(self, logits: Tensor, mask: Tensor) -> Tensor:
        """Emit what the user sees: [B, C], and 0 where the mask [C] is 0."""
        ...

    def rows(self, logits: Tensor, labels: Tensor, mask: Tensor) -> Tensor:
        """Emit the loss of each sample [B], or of each output [B, C].

        Inactive classes take no part in the loss of a sample; that of an output is not counted
        where its class is inactive, and has only to be finite there.
        """
        ...


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


@dataclass(frozen=True)
class MeanSquaredError:
    """`(z − y)²` of each output, and the mean over them."""

    name = "mean_squared_error"
    task = "regression"
    weights_per_output = True

    def settings(self) -> Mapping[str, Any]:
        """What goes into the manifest."""
        return {}

    def output(self, logits: Tensor, mask: Tensor) -> Tensor:
        """The numbers themselves."""
        return mul(logits, mask, name="output")

    def rows(self, logits: Tensor, labels: Tensor, mask: Tensor) -> Tensor:
        """`(z − y)²`: [B, C]."""
        return square(sub(logits, labels))


@dataclass(frozen=True)
class Huber:
    """`d²/2` where `d = |z − y|` is at most δ, and `δ · (d − δ/2)` beyond (Huber, 1964).

    An outlier pulls no harder than δ.

    Attributes:
        delta: δ > 0, in the unit of the targets.
    """

    delta: float = 1.0

    name = "huber"
    task = "regression"
    weights_per_output = True

    def __post_init__(self) -> None:
        if not 0 < self.delta < math.inf:
            raise ConversionError(f"Huber: delta must be above 0, got {self.delta}")

    def settings(self) -> Mapping[str, Any]:
        """What goes into the manifest."""
        return asdict(self)

    def output(self, logits: Tensor, mask: Tensor) -> Tensor:
        """The numbers themselves."""
        return mul(logits, mask, name="output")

    def rows(self, logits: Tensor, labels: Tensor, mask: Tensor) -> Tensor:
        """With `c = min(d, δ)` both branches are `c · (d − c/2)`: [B, C]."""
        error = sub(logits, labels)
        size = maximum(error, neg(error))
        capped = minimum(size, self.delta)
        return mul(capped, sub(size, mul(capped, 0.5)))


def weighted_mean(values: Tensor, weights: Tensor) -> Tensor:
    """`Σ value · weight / max(Σ weight, 1e-6)`, as [1]; both of one shape."""
    total, weight = _sum(mul(values, weights)), _sum(weights)
    return div(total, maximum(weight, 1e-6))


def _sum(x: Tensor) -> Tensor:
    """The sum of all elements, as [1]."""
    rows = x if x.rank == 1 else reduce_sum(x, range(1, x.rank))
    return reduce_sum(rows, [0], keep_dims=True)


def _masked(logits: Tensor, mask: Tensor) -> Tensor:
    return add(logits, mul(sub(mask, 1.0), _OFF))


def _smoothed(targets: Tensor, mask: Tensor, smoothing: float) -> Tensor:
    """`(1 − ε) · target + ε · Σ target / (active classes)`, over the active classes."""
    even = div(mask, maximum(reduce_sum(mask, [0], keep_dims=True), 1.0))
    spread = mul(reduce_sum(targets, [1], keep_dims=True), even)
    return add(mul(targets, 1.0 - smoothing), mul(spread, smoothing))
