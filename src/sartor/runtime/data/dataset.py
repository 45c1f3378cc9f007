"""What one training learns from, as arrays by class slot."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ...contract.manifest import Manifest
from ..store import SampleSet
from .tasks import TASKS

__all__ = ["Dataset", "training_dataset", "unlabelled_dataset"]


@dataclass(frozen=True)
class Dataset:
    """N rows: the views of some samples.

    Attributes:
        features: float32 [N, …], one for each features tensor.
        targets: float32 [N, C]; 0 where nothing is known, and the weight is 0 too.
        weights: float32 [N], or [N, C] where each output stands for itself.
        samples: int64 [N]; the sample that each row is a view of.
        shares: float32 [N]; the part of its sample that each row is.
    """

    features: Sequence[np.ndarray]
    targets: np.ndarray
    weights: np.ndarray
    sample_ids: np.ndarray
    sample_fraction: np.ndarray

    def __len__(self) -> int:
        return len(self.sample_ids)

    @property
    def sample_count(self) -> int:
        """How many samples there are."""
        return len(np.unique(self.sample_ids))

    @property
    def effective_sample_size(self) -> float:
        """As how many samples they count, since rare classes weigh more (Kish, 1965).

        It is `(Σ weight)² / Σ weight²`; where outputs stand for themselves, the number of samples.
        """
        if self.weights.ndim > 1:
            return self.sample_count
        _, of_sample = np.unique(self.sample_ids, return_inverse=True)
        weights = np.bincount(of_sample, self.weights)
        return float(weights.sum() ** 2 / (weights**2).sum())

    def stratified_rows(self, count: int, seed: int) -> np.ndarray:
        """Some rows of all classes, drawn at random, as many of each as can be.

        Args:
            count: how many at most.
            seed: of the draw.

        Returns:
            int [n]; n ≤ count.
        """
        order = np.random.default_rng(seed).permutation(len(self))
        slots = self.targets[order].argmax(1)
        by_class = np.argsort(slots, kind="stable")
        first = np.searchsorted(slots[by_class], slots[by_class])
        turns = np.empty_like(order)  # the how-manieth of its class
        turns[by_class] = np.arange(len(order)) - first
        return np.asarray(order[np.argsort(turns, kind="stable")][:count])

    @property
    def target_rms(self) -> float:
        """The root mean square of the targets that are known; 1 where all are 0."""
        known = self.targets[self.weights > 0] if self.weights.ndim > 1 else self.targets
        return float(np.sqrt(np.mean(np.square(known, dtype=np.float64)))) or 1.0


def training_dataset(manifest: Manifest, found: SampleSet, slots: Mapping[str, int]) -> Dataset:
    """Bring samples into the form that a model learns from.

    Args:
        manifest: of the model.
        found: some samples of the store.
        slots: class name → its slot; every class of `found` has one.
    """
    targets = np.full((len(found), manifest.capacity), np.nan, np.float32)
    targets[:, [slots[name] for name in found.classes]] = found.targets
    _, of_sample, views = np.unique(found.samples, return_inverse=True, return_counts=True)
    shares = (1 / views[of_sample]).astype(np.float32)
    weights = TASKS[manifest.task].weights(targets, shares)
    return Dataset(found.features, np.nan_to_num(targets), weights, found.samples, shares)


def unlabelled_dataset(manifest: Manifest, features: Sequence[np.ndarray]) -> Dataset:
    """Samples to ask a model about, and to learn nothing from: float32 [N, …] each."""
    count = len(features[0])
    ones, targets = np.ones(count, np.float32), np.zeros((count, manifest.capacity), np.float32)
    weights = np.ones_like(targets) if manifest.weights_per_output else ones
    return Dataset(features, targets, weights, np.arange(count), ones)
