"""How long to train and how fast, where the user does not say: all of it is in this file."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..manifest import Manifest

__all__ = ["Schedule", "default_schedule"]

_MIN_STEPS, _EPOCHS, _MAX_STEPS = 200, 50, 4000
_RATE, _RATE_SAMPLES = 2.0, 100


@dataclass(frozen=True)
class Schedule:
    """The learning rate of each step: it falls from `peak` to 0 along half a cosine.

    Attributes:
        epochs: passes over the samples.
        batches: of one pass.
        peak: the learning rate of the first step.
    """

    epochs: int
    batches: int
    peak: float

    def rate(self, step: int) -> float:
        """The learning rate of a step, 0 being the first."""
        return self.peak * 0.5 * (1 + math.cos(math.pi * step / (self.epochs * self.batches)))


def default_schedule(
    manifest: Manifest,
    features: Sequence[np.ndarray],
    *,
    epochs: int | None = None,
    learning_rate: float | None = None,
) -> Schedule:
    """The schedule for a set of samples.

    Args:
        manifest: of the file.
        features: float32 [N, …] each; N above 0.
        epochs: passes over the samples; else as many as few samples need to converge, and fewer
            for many.
        learning_rate: of the first step; else what the file states; else one at which the first
            step moves a sample's logits by about `min(2, N/100)`, whatever the features' scale.
    """
    samples = len(features[0])
    batches = math.ceil(samples / manifest.batch)
    if epochs is None:
        steps = min(max(_MIN_STEPS, _EPOCHS * batches), _MAX_STEPS)
        epochs = math.ceil(steps / batches)
    peak = manifest.learning_rate if learning_rate is None else learning_rate
    if peak is None:
        peak = _default_rate(manifest, features)
    return Schedule(epochs, batches, peak)


def _default_rate(manifest: Manifest, features: Sequence[np.ndarray]) -> float:
    samples = len(features[0])
    strength = min(_RATE, samples / _RATE_SAMPLES)
    if manifest.optimizer.name == "adam":  # a step moves each weight by the rate itself
        return strength / 2 / (1 + _mean_norm(manifest, features, power=1))
    return strength / (1 + _mean_norm(manifest, features, power=2))


def _mean_norm(manifest: Manifest, features: Sequence[np.ndarray], *, power: int) -> float:
    """The mean over the samples of `Σ |x|^power`, x being what the head's layer takes."""
    if manifest.features_length is not None:
        size = sum(math.prod(array.shape[1:]) for array in features)
        return manifest.features_length * (
            math.sqrt(size) if power == 1 else manifest.features_length
        )
    total = sum(float((np.abs(array.astype(np.float64)) ** power).sum()) for array in features)
    return total / len(features[0])
