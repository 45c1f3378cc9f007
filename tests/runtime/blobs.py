"""Samples of linearly separable classes."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from sartor import PersonalModel

LABELS = ("hat", "shoes", "dress")


def blobs(count: int, *, seed: int = 1, spread: float = 0.3) -> Iterator[tuple[np.ndarray, str]]:
    """`count` samples [1, 8] of each class, around one center per class."""
    centers = 2 * np.random.default_rng(0).normal(size=(len(LABELS), 8))
    rng = np.random.default_rng(seed)
    for _ in range(count):
        for center, label in zip(centers, LABELS, strict=True):
            noise = spread * rng.normal(size=8)
            yield (center + noise)[np.newaxis].astype(np.float32), label


def add_samples(model: PersonalModel, count: int = 5) -> PersonalModel:
    """Add `count` samples of each class to a model."""
    for sample, label in blobs(count):
        model.add_sample(sample, label)
    return model


PROBE = next(blobs(1, seed=9))[0]
