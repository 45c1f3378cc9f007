"""How long to train and how fast, where the user does not say: all of it is in this file."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ...contract.manifest import Manifest
from ...errors import DataError

__all__ = ["DECAYS", "Schedule", "default_schedule"]

DECAYS: Mapping[str, Callable[[float], float]] = {
    "cosine": lambda progress: 0.5 * (1 + math.cos(math.pi * progress)),
    "linear": lambda progress: 1 - progress,
    "constant": lambda progress: 1.0,
}
"""Name → the part of the peak rate that is left after this part of the training."""

_MIN_STEPS, _EPOCHS, _MAX_STEPS = 400, 60, 4000
_NO_MOMENTUM = 3  # times as many steps where nothing carries a step on
_OWN_PACE = ("adam", "adamw", "rmsprop")
_SHARE = 0.5  # of the largest rate at which training is stable
_FEW, _FEW_AS_THEY_ARE = 600, 150  # fewer samples are learned from at a lower rate
_NUMBERS = ("mean_squared_error", "huber")
_CURVATURE: Mapping[str, tuple[float, bool]] = {
    "softmax_cross_entropy": (1 / 3, False),  # ½ at most, and of two classes alone
    "sigmoid_cross_entropy": (1 / 4, True),
    "mean_squared_error": (2.0, True),
    "huber": (1.0, True),
}  # by the logit; whether the loss is a mean over the outputs


@dataclass(frozen=True)
class Schedule:
    """The learning rate along the training: up to `peak` in the warm-up, and down from there.

    Attributes:
        epochs: passes over the samples, at least 1.
        batches: of one pass, at least 1.
        peak: the largest learning rate.
        decay: `cosine` (half a cosine, to 0), `linear` (to 0) or `constant`.
        warmup: steps before the peak, in which the rate grows evenly; at least 0.

    Raises:
        DataError: there is no such decay, or the warm-up is negative or as long as the training.
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
        """Of the whole training, unless it is stopped."""
        return self.epochs * self.batches

    def rate(self, progress: float) -> float:
        """The learning rate of a step.

        Args:
            progress: the part of the training that lies behind it, 0…1: of the steps, or of the
                time where that is bounded.
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
    """The schedule for a set of samples.

    Args:
        manifest: of the file.
        features: float32 [N, …] each; N above 0.
        samples: as how many the rows are to be believed (several views of a photo are one, see
            `Dataset.effective_sample_size`); N unless told.
        outputs: the active classes; as many as there is room for unless told.
        magnitude: of a regression's targets, their root mean square; > 0.
        length: the root mean square of the lengths that the head sees features with, where that
            may be more than it brings them to (`ClassMaker.length_seen`).
        epochs: passes over the samples; else as many as few samples need to converge, and fewer
            for many.
        learning_rate: the largest; else what the file states; else one that suits the optimizer,
            the loss and the size of the features (`_default_rate`).
        decay: see `Schedule`.
        warmup: see `Schedule`.

    Raises:
        DataError: there is no such decay, or the warm-up is negative or as long as the training.
    """
    batches = math.ceil(len(features[0]) / manifest.batch)
    if epochs is None:
        epochs = math.ceil(_steps(manifest, batches) / batches)
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


def _steps(manifest: Manifest, batches: int) -> int:
    steps = min(max(_MIN_STEPS, _EPOCHS * batches), _MAX_STEPS)
    slow = manifest.optimizer.name == "sgd" and not _momentum(manifest)
    return _NO_MOMENTUM * steps if slow else steps


def _default_rate(
    manifest: Manifest,
    features: Sequence[np.ndarray],
    samples: float,
    outputs: int,
    magnitude: float,
    at_least: float,
) -> float:
    """Half of the largest stable rate, and less for few samples: they are not believed too much.

    A step of Adam's kind moves each weight by the rate itself; then it is one at which it moves a
    logit by at most 1. Gradient descent with momentum μ is stable up to `2 (1 + μ) / L`, with
    Nesterov up to `2 (1 + μ) / (1 + 2μ) / L`; the loss's curvature L is at most its curvature by
    the logit times `1 + ‖x‖²`.
    """
    flat = [array.reshape(len(array), -1) for array in features]
    rows = np.concatenate(flat, 1, dtype=np.float64)
    length = manifest.feature_norm
    if length is not None:
        length = max(length, at_least)
    if manifest.optimizer.name in _OWN_PACE:
        sizes = np.abs(rows).sum(1)
        if length is not None:
            sizes *= length / np.maximum(np.linalg.norm(rows, axis=1), 1e-12)
        return magnitude / (1 + float(sizes.mean()))
    square = float((rows**2).sum(1).mean()) if length is None else length**2
    curvature, is_mean = _CURVATURE[manifest.loss.name]
    steepest = (1 + square) * curvature / (outputs if is_mean else 1)
    believed = min(1, samples / (_FEW_AS_THEY_ARE if length is None else _FEW))
    return believed * _SHARE * _largest(manifest) / steepest


def _largest(manifest: Manifest) -> float:
    """The largest stable rate at a curvature of 1.

    The gradient of a squared distance has no bound, so that what one batch overshoots the next may
    multiply: there momentum is to make steps no longer than plain descent's.
    """
    momentum = _momentum(manifest)
    if manifest.loss.name in _NUMBERS:
        return 2 * (1 - momentum)
    nesterov = bool(manifest.optimizer.settings.get("nesterov", False))
    return 2 * (1 + momentum) / (1 + 2 * momentum if nesterov else 1)


def _momentum(manifest: Manifest) -> float:
    value: Any = manifest.optimizer.settings.get("momentum", 0.0)
    return float(value)
