"""Accuracy of a classifier on raw pixels, as a baseline for the features.

Softmax regression on images of 16 x 16 pixels with an L2 penalty. The problem is convex, so the
result depends on no random number.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import PIL.Image

from .data import Example

__all__ = ["pixel_accuracy"]

_SIDE = 16
_STEPS, _PENALTY = 300, 1e-2


def pixel_accuracy(training: Sequence[Example], test: Sequence[Example]) -> float:
    """Train on the pixels of `training`, and return the accuracy on `test`, 0…1."""
    labels = sorted({label for _, label in training})
    x, y = _pixels(training), np.array([labels.index(label) for _, label in training])
    mean = x.mean(0)
    weights = _fit(_with_bias(x - mean), np.eye(len(labels))[y])
    predicted = (_with_bias(_pixels(test) - mean) @ weights).argmax(1)
    return float(
        np.mean([labels[i] == label for i, (_, label) in zip(predicted, test, strict=True)])
    )


def _pixels(examples: Sequence[Example]) -> np.ndarray:
    """Return [N, pixels], 0…1."""
    box = PIL.Image.Resampling.BOX
    rows = [np.asarray(image.resize((_SIDE, _SIDE), box)).ravel() for image, _ in examples]
    return np.stack(rows) / 255.0


def _with_bias(x: np.ndarray) -> np.ndarray:
    return np.concatenate([x, np.ones((len(x), 1))], 1)


def _fit(x: np.ndarray, targets: np.ndarray) -> np.ndarray:
    """Return weights [pixels, C] of gradient descent; the curvature gives the step size."""
    weights = np.zeros((x.shape[1], targets.shape[1]))
    curvature = 0.5 * float(np.linalg.norm(x, 2)) ** 2 / len(x) + _PENALTY
    for _ in range(_STEPS):
        logits = x @ weights
        output = np.exp(logits - logits.max(1, keepdims=True))
        output /= output.sum(1, keepdims=True)
        gradient = x.T @ (output - targets) / len(x) + _PENALTY * weights
        weights -= gradient / curvature
    return weights
