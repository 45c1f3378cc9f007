"""Samples as the store returns them: single ones, and arrays for training."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np

from .stored_features import StoredFeatures, take_rows

__all__ = ["SampleSet", "StoredSample"]


@dataclass(frozen=True)
class StoredSample:
    """One sample, without its features.

    Attributes:
        id: number of the sample; numbers increase, and none is used twice.
        targets: class name → target: `{"hat": 1.0}` for classification, 1 or 0 for several labels,
            any number for regression. Other classes are unknown.
        added: time of adding, in UTC, for information only.
        held_out: whether the sample measures and does not train.
        rows: number of rows of features: 1 for the sample, and 1 for each augmentation.
        source: hash that identifies the sample, in hexadecimal, or None.
    """

    id: int
    targets: Mapping[str, float]
    added: datetime
    held_out: bool
    rows: int
    source: str | None

    @property
    def label(self) -> str:
        """Name of the class of a sample with a single target."""
        (label,) = self.targets
        return label


@dataclass(frozen=True)
class SampleSet:
    """Samples as arrays, with a row for each sample and each augmentation, ordered by sample.

    Its length is the number of rows, N.

    Attributes:
        features: float32 [N, …] for each features tensor; `StoredFeatures`, which stay in the
            store, in a file with tuned layers.
        samples: int64 [N]; ID of the sample of each row.
        targets: float32 [N, K]; NaN if a target is unknown.
        classes: K class names, in the order of their first samples.
    """

    features: Sequence[np.ndarray]
    samples: np.ndarray
    targets: np.ndarray
    classes: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.samples)

    def present(self) -> np.ndarray:
        """Return whether each row is in memory, or still in the store: bool [N]."""
        if isinstance(self.features, StoredFeatures):
            return self.features.present()
        return np.ones(len(self), bool)

    def take(self, rows: np.ndarray) -> SampleSet:
        """Return some of the rows; `rows` are indices, or bool [N]."""
        features = take_rows(self.features, rows)
        return SampleSet(features, self.samples[rows], self.targets[rows], self.classes)
