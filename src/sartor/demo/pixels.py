"""What raw pixels would do: the yardstick that features have to beat.

Softmax regression on the pictures at 16 x 16, trained to its end: a convex problem with an L2
penalty, so nothing is left to chance or taste.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import PIL.Image

from .material import Example

__all__ = ["pixel_accuracy"]

_SIDE = 16
_STEPS, _PENALTY = 300, 1e-2


def pixel_accuracy(learn: Sequence[Example], test: Sequence[Example]) -> float:
    """The share of `test` that is right, 0…1, learned from the pixels of `learn`."""
    labels = sorted({label for _, label in learn})
    x, y = _pixels(learn), np.array([labels.index(label) for _, label in learn])
    mean = x.mean(0)
    weights = _fitted(_with_bias(x - mean), np.eye(len(labels))[y])
    found = (_with_bias(_pixels(test) - mean) @ weights).argmax(1)
    return float(np.mean([labels[i] == label for i, (_, label) in zip(found, test, strict=True)]))


def _pixels(examples: Sequence[Example]) -> np.ndarray:
    """[N, pixels], 0…1."""
    box = PIL.Image.Resampling.BOX
    rows = [np.asarray(picture.resize((_SIDE, _SIDE), box)).ravel() for picture, _ in examples]
    return np.stack(rows) / 255.0


def _with_bias(x: np.ndarray) -> np.ndarray:
    return np.concatenate([x, np.ones((len(x), 1))], 1)


def _fitted(x: np.ndarray, targets: np.ndarray) -> np.ndarray:
    """Weights [pixels, C] by gradient descent, at the rate that the curvature allows."""
    weights = np.zeros((x.shape[1], targets.shape[1]))
    curvature = 0.5 * float(np.linalg.norm(x, 2)) ** 2 / len(x) + _PENALTY
    for _ in range(_STEPS):
        logits = x @ weights
        output = np.exp(logits - logits.max(1, keepdims=True))
        output /= output.sum(1, keepdims=True)
        gradient = x.T @ (output - targets) / len(x) + _PENALTY * weights
        weights -= gradient / curvature
    return weights
