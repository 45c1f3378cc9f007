"""The learning-rate schedule, and the default learning rate."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ...contract.manifest import Manifest
from ...errors import DataError

__all__ = ["DECAYS", "Schedule", "class_factor", "default_rate", "stable_rate"]

DECAYS: Mapping[str, Callable[[float], float]] = {
    "cosine": lambda progress: 0.5 * (1 + math.cos(math.pi * progress)),
    "linear": lambda progress: 1 - progress,
    "constant": lambda progress: 1.0,
}
"""Name → learning rate relative to the peak, as a function of the progress of the training."""

_STABLE_FRACTION = 0.5  # of the largest stable learning rate
_FEW_CLASSES, _MANY_CLASSES = 16, 32  # between them, the learning rate rises to twice its value
_MIN_WEIGHT = 1e-6  # of a batch, see docs/contract.md


@dataclass(frozen=True)
class Schedule:
    """The learning rate of a training or of a stage of it, and its weight decay.

    Attributes:
        epochs: number of epochs, at least 1.
        batches: number of batches of an epoch, at least 1.
        peak: the largest learning rate, that of the first step.
        decay: `cosine` (half a cosine, to 0), `linear` (to 0) or `constant`. Default: `cosine`.
        weight_decay: weight decay, at least 0. Default: None, which keeps that of the model.

    Raises:
        DataError: If the decay is unknown.
    """

    epochs: int
    batches: int
    peak: float
    decay: str = "cosine"
    weight_decay: float | None = None

    def __post_init__(self) -> None:
        if self.decay not in DECAYS:
            raise DataError(f"decay must be one of {', '.join(DECAYS)}; got {self.decay!r}")

    @property
    def steps(self) -> int:
        """Number of steps of the training, if it is not stopped."""
        return self.epochs * self.batches

    def rate(self, progress: float) -> float:
        """Return the learning rate of a step.

        Args:
            progress: fraction of the training before the step, 0…1: of the steps, or of the time
                if the time is limited.
        """
        return self.peak * DECAYS[self.decay](min(max(progress, 0.0), 1.0))


def default_rate(
    manifest: Manifest,
    batches: Sequence[tuple[np.ndarray, np.ndarray]],
    *,
    outputs: int | None = None,
    magnitude: float = 1.0,
) -> float:
    """Return the default learning rate for a set of samples.

    Gradient descent is stable up to `stable_rate / L`, where L is the curvature of the loss of a
    batch by the weights: at most its curvature by a logit times the largest eigenvalue of the
    second moments of the rows, with 1 for the bias. The default is half of that for up to 16
    classes. With more, each probability is smaller, and so is the curvature: from 32 classes on,
    the default is that bound. The step of an adaptive optimizer changes each weight by the
    learning rate: the default changes a logit by at most 1.

    Args:
        manifest: manifest of the file.
        batches: some batches: rows, float64 [n, F], as the first layer of the head sees them, and
            their weights [n]; at least one.
        outputs: number of active classes. Default: the capacity.
        magnitude: root mean square of the targets of a regression; above 0. Default: 1.
    """
    if manifest.optimizer.step.adaptive:
        sums = np.concatenate([np.abs(rows).sum(1) for rows, _ in batches])
        return magnitude / (1 + float(sums.mean()))
    classes = outputs or manifest.capacity
    factor = _STABLE_FRACTION * stable_rate(manifest)
    if manifest.weights_per_output:  # the loss is the mean over the outputs
        factor *= classes
    factor *= class_factor(manifest, classes)
    largest = max(_eigenvalue_bound(rows, weights) for rows, weights in batches)
    return factor / (manifest.loss.curvature * largest)


def _eigenvalue_bound(rows: np.ndarray, weights: np.ndarray) -> float:
    """Return an upper bound of the largest eigenvalue of the second moments of rows.

    The bound is the Frobenius norm of the moments, from the products of the rows.
    """
    shares = weights / max(weights.sum(), _MIN_WEIGHT)
    return math.sqrt(shares @ (1 + rows @ rows.T) ** 2 @ shares)


def class_factor(manifest: Manifest, classes: int) -> float:
    """Return the factor κ of the learning rate for many classes, 1 to 2.

    It is 1 for adaptive optimizers and other tasks.
    """
    if manifest.task != "classification" or manifest.optimizer.step.adaptive:
        return 1.0
    return min(max(classes, _FEW_CLASSES), _MANY_CLASSES) / _FEW_CLASSES


def stable_rate(manifest: Manifest) -> float:
    """Return the largest stable learning rate of gradient descent at a curvature of 1.

    With momentum μ it is `2 (1 + μ)`, with Nesterov momentum `2 (1 + μ) / (1 + 2μ)`. The targets
    of a regression have no bound, so that the error of one batch can grow in the next: there the
    momentum must not make steps longer than those of plain gradient descent.
    """
    step = manifest.optimizer.step
    if manifest.task == "regression":
        return 2 * (1 - step.momentum)
    return 2 * (1 + step.momentum) / (1 + 2 * step.momentum if step.nesterov else 1)
