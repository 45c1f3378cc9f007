"""Samples that a linear layer can tell apart."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from sartor import PersonalModel

LABELS = ("hat", "shoes", "dress")


def blobs(count: int, *, seed: int = 1, spread: float = 0.3) -> Iterator[tuple[np.ndarray, str]]:
    """`count` samples [1, 8] of each class, around one centre a class."""
    centres = 2 * np.random.default_rng(0).normal(size=(len(LABELS), 8))
    rng = np.random.default_rng(seed)
    for _ in range(count):
        for centre, label in zip(centres, LABELS, strict=True):
            noise = spread * rng.normal(size=8)
            yield (centre + noise)[np.newaxis].astype(np.float32), label


def taught(model: PersonalModel, count: int = 5) -> PersonalModel:
    """Give a model samples of each class."""
    for sample, label in blobs(count):
        model.add_sample(sample, label)
    return model


PROBE = next(blobs(1, seed=9))[0]
