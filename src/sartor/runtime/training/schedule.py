"""The learning-rate schedule, and its defaults."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ...contract.manifest import Manifest
from ...contract.specs import StepSpec
from ...errors import DataError

__all__ = ["DECAYS", "Schedule", "default_schedule"]

DECAYS: Mapping[str, Callable[[float], float]] = {
    "cosine": lambda progress: 0.5 * (1 + math.cos(math.pi * progress)),
    "linear": lambda progress: 1 - progress,
    "constant": lambda progress: 1.0,
}
"""Name → learning rate relative to the peak, as a function of the progress of the training."""

_MIN_STEPS, _EPOCHS, _MAX_STEPS = 400, 60, 4000
_STEPS_WITHOUT_MOMENTUM = 3  # times as many
_STABLE_FRACTION = 0.5  # of the largest stable learning rate
_FULL_RATE_SAMPLES = 600  # with fewer samples the learning rate of a classifier is lower
_FULL_RATE_SAMPLES_UNNORMALIZED = 150  # the same, for a head that does not normalize features


@dataclass(frozen=True)
class Schedule:
    """A learning rate that rises to a peak in the warm-up, and decays afterwards.

    Attributes:
        epochs: number of epochs, at least 1.
        batches: number of batches of an epoch, at least 1.
        peak: the largest learning rate.
        decay: `cosine` (half a cosine, to 0), `linear` (to 0) or `constant`. Default: `cosine`.
        warmup: number of steps before the peak, in which the learning rate rises linearly; at
            least 0. Default: 0.

    Raises:
        DataError: If the decay is unknown, or the warm-up is negative or as long as the training.
    """

    epochs: int
    batches: int
    peak: float
    decay: str = "cosine"
    warmup: int = 0

    def __post_init__(self) -> None:
        if self.decay not in DECAYS:
            raise DataError(f"decay must be one of {', '.join(DECAYS)}; got {self.decay!r}")
        if not 0 <= self.warmup < self.steps:
            raise DataError(
                f"warmup must be at least 0 and below the {self.steps} steps of the training, "
                f"got {self.warmup}"
            )

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
        progress = min(max(progress, 0.0), 1.0)
        warm = self.warmup / self.steps
        if progress < warm:
            return self.peak * (progress * self.steps + 1) / (self.warmup + 1)
        return self.peak * DECAYS[self.decay]((progress - warm) / (1 - warm))


def default_schedule(
    manifest: Manifest,
    features: Sequence[np.ndarray],
    *,
    samples: float | None = None,
    outputs: int | None = None,
    magnitude: float = 1.0,
    length: float | None = None,
    epochs: int | None = None,
    learning_rate: float | None = None,
    decay: str = "cosine",
    warmup: int = 0,
) -> Schedule:
    """Return the schedule for a set of samples.

    Args:
        manifest: manifest of the file.
        features: float32 [N, …] for each features tensor; N above 0.
        samples: effective number of samples (see `Dataset.effective_sample_size`). Default: N.
        outputs: number of active classes. Default: the capacity.
        magnitude: root mean square of the targets of a regression; above 0. Default: 1.
        length: root mean square of the norms of the normalized features. It replaces the
            `feature_norm` of the head if it is larger. Default: `feature_norm`.
        epochs: number of epochs. Default: many for few samples, fewer for many.
        learning_rate: the largest learning rate. Default: the one of the file; if the file has
            none, one computed from optimizer, loss and features (see `_default_rate`).
        decay: see `Schedule`.
        warmup: see `Schedule`.

    Raises:
        DataError: If the decay is unknown, or the warm-up is negative or as long as the training.
    """
    batches = math.ceil(len(features[0]) / manifest.batch_size)
    if epochs is None:
        epochs = math.ceil(_default_steps(manifest.optimizer.step, batches) / batches)
    peak = manifest.learning_rate if learning_rate is None else learning_rate
    if peak is None:
        peak = _default_rate(
            manifest,
            features,
            samples or len(features[0]),
            outputs or manifest.capacity,
            magnitude,
            length or 0.0,
        )
    return Schedule(epochs, batches, peak, decay, warmup)


def _default_steps(step: StepSpec, batches: int) -> int:
    steps = min(max(_MIN_STEPS, _EPOCHS * batches), _MAX_STEPS)
    is_slow = not step.adaptive and step.momentum == 0
    return _STEPS_WITHOUT_MOMENTUM * steps if is_slow else steps


def _default_rate(
    manifest: Manifest,
    features: Sequence[np.ndarray],
    samples: float,
    outputs: int,
    magnitude: float,
    length: float,
) -> float:
    """Return the default learning rate: half of the largest stable one, less for few samples.

    A regression starts at zero weights, far from its targets, so it has the whole rate. The step
    of an adaptive optimizer changes each weight by the learning rate: the default changes a logit
    by at most 1. Gradient descent is stable up to `_stable_rate / L`, where L is the curvature of
    the loss by the weights, at most its curvature by a logit times `1 + ‖x‖²`.
    """
    flat = [array.reshape(len(array), -1) for array in features]
    rows = np.concatenate(flat, 1, dtype=np.float64)
    norm = manifest.head.feature_norm
    if norm is not None:
        norm = max(norm, length)
    if manifest.optimizer.step.adaptive:
        sums = np.abs(rows).sum(1)
        if norm is not None:
            sums *= norm / np.maximum(np.linalg.norm(rows, axis=1), 1e-12)
        return magnitude / (1 + float(sums.mean()))
    square = float((rows**2).sum(1).mean()) if norm is None else norm**2
    is_mean = manifest.weights_per_output  # the loss is the mean over the outputs
    curvature = (1 + square) * manifest.loss.curvature / (outputs if is_mean else 1)
    rate = _STABLE_FRACTION * _stable_rate(manifest) / curvature
    if manifest.task == "regression":
        return rate
    enough = _FULL_RATE_SAMPLES_UNNORMALIZED if norm is None else _FULL_RATE_SAMPLES
    return min(1, samples / enough) * rate


def _stable_rate(manifest: Manifest) -> float:
    """Return the largest stable learning rate of gradient descent at a curvature of 1.

    With momentum μ it is `2 (1 + μ)`, with Nesterov momentum `2 (1 + μ) / (1 + 2μ)`. The targets
    of a regression have no bound, so that the error of one batch can grow in the next: there the
    momentum must not make steps longer than those of plain gradient descent.
    """
    step = manifest.optimizer.step
    if manifest.task == "regression":
        return 2 * (1 - step.momentum)
    return 2 * (1 + step.momentum) / (1 + 2 * step.momentum if step.nesterov else 1)
