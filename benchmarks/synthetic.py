"""Synthetic samples with features like those of MobileNetV2."""

from __future__ import annotations

import numpy as np

from .samples import Samples

__all__ = ["FEATURES", "synthetic_samples"]

FEATURES = 1280
"""Number of features of MobileNetV2."""

_SEPARATION = 0.5  # standard deviation of the class means, where that of the samples is 1


def synthetic_samples(samples: int, classes: int) -> Samples:
    """Return samples of overlapping classes: non-negative, many features zero.

    Args:
        samples: number of samples; the classes alternate.
        classes: number of classes, at most `samples`.
    """
    rng = np.random.default_rng(0)
    labels = np.arange(samples) % classes
    means = rng.normal(size=(classes, FEATURES)) * _SEPARATION
    rows = np.maximum(rng.normal(size=(samples, FEATURES)) + means[labels], 0)
    return Samples(rows.astype(np.float32), np.array([f"class {label}" for label in labels]))
