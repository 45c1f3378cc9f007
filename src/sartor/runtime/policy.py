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
_OWN_PACE = ("adam", "adamw", "rmsprop")


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
        learning_rate: of the first step; else what the file states; else one at which a step
            moves a sample's own logit by at most about `min(2, N/100)`, whatever the size of the
            features.
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
    """Few samples are not believed too much: the rate grows with their number."""
    samples = len(features[0])
    rows = np.concatenate([array.reshape(samples, -1) for array in features], 1, dtype=np.float64)
    length = manifest.features_length
    if manifest.optimizer.name in _OWN_PACE:  # a step moves each weight by the rate itself
        sizes = np.abs(rows).sum(1)
        if length is not None:
            sizes *= length / np.maximum(np.linalg.norm(rows, axis=1), 1e-12)
        return min(1, samples / _RATE_SAMPLES) / (1 + float(sizes.mean()))
    square = float((rows**2).sum(1).mean()) if length is None else length**2
    return min(_RATE, samples / _RATE_SAMPLES) / (1 + square)
