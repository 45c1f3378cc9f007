"""What a store hands out: samples as a user sees them, and as training takes them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

import numpy as np

__all__ = ["SampleSet", "StoredSample"]


@dataclass(frozen=True)
class StoredSample:
    """One sample, without its features.

    Attributes:
        id: its number; a later sample has a higher one, and none is given twice.
        targets: class name → value. Of a classification `{"hat": 1.0}`; of several labels 1 or 0,
            and a class that is not there is not known; of a regression any number.
        added: when, by the clock of the time, in UTC. Nothing depends on it.
        held_out: it is for measuring, and not for training.
        views: how many rows of features it has: the sample itself, and what it was augmented to.
        source: the hash of what it was made of, in hexadecimal; None where none was given.
    """

    id: int
    targets: Mapping[str, float]
    added: datetime
    held_out: bool
    views: int
    source: str | None

    @property
    def label(self) -> str:
        """The class of a sample that has just one target."""
        (label,) = self.targets
        return label


@dataclass(frozen=True)
class SampleSet:
    """Samples as training takes them: a row for each view, in the order of sample and view.

    Attributes:
        features: float32 [N, …], one for each features tensor.
        samples: int64 [N]: the sample that each row belongs to.
        targets: float32 [N, K]; NaN where a sample says nothing about a class.
        classes: K names, in the order in which the store first met them.
    """

    features: list[np.ndarray]
    samples: np.ndarray
    targets: np.ndarray
    classes: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.samples)

    def take(self, rows: np.ndarray) -> SampleSet:
        """Some of the rows: their indexes, or bool [N]."""
        features = [each[rows] for each in self.features]
        return SampleSet(features, self.samples[rows], self.targets[rows], self.classes)
