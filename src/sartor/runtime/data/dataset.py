"""A data set: the features, targets and weights of samples, by class index."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ..._random_numbers import RandomNumbers
from ...contract.manifest import Manifest
from ..store import SampleSet, take_rows
from .tasks import TASKS

__all__ = ["Dataset", "training_dataset", "unlabelled_dataset"]


@dataclass(frozen=True)
class Dataset:
    """Samples: N rows, one for each augmentation of each sample.

    Attributes:
        features: float32 [N, …] for each features tensor; `StoredFeatures` are read in batches.
        targets: float32 [N, C]; 0 where a target is missing.
        weights: float32 [N], or [N, C] if `Manifest.weights_per_output`; 0 where a target is
            missing.
        sample_ids: int64 [N]; sample that each row is an augmentation of.
        sample_fraction: float64 [N]; 1 / (number of augmentations of the sample).
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
        """Number of samples."""
        return len(np.unique(self.sample_ids))

    @property
    def effective_sample_size(self) -> float:
        """Effective sample size `(Σ w)² / Σ w²` of weighted samples (Kish, 1965).

        It is below the number of samples if classes are imbalanced. With weights per output, it
        is the number of samples.
        """
        if self.weights.ndim > 1:
            return self.sample_count
        _, sample_indices = np.unique(self.sample_ids, return_inverse=True)
        weights = np.bincount(sample_indices, self.weights)
        return float(weights.sum() ** 2 / (weights**2).sum())

    @property
    def target_rms(self) -> float:
        """Root mean square of the present targets; 1 if all are 0."""
        targets = self.targets[self.weights > 0] if self.weights.ndim > 1 else self.targets
        return float(np.sqrt(np.mean(np.square(targets, dtype=np.float64)))) or 1.0

    def take(self, rows: np.ndarray) -> Dataset:
        """Return some of the rows; `rows` are indices, or bool [N]."""
        return Dataset(
            take_rows(self.features, rows),
            self.targets[rows],
            self.weights[rows],
            self.sample_ids[rows],
            self.sample_fraction[rows],
        )

    def stratified_rows(self, count: int, seed: int) -> np.ndarray:
        """Draw rows at random, in equal numbers from all classes as far as possible.

        Args:
            count: largest number of rows.
            seed: seed of the draw.

        Returns:
            int [min(count, N)]: row indices, without repetition.
        """
        order = RandomNumbers(seed).permutation(len(self))
        class_indices = self.targets[order].argmax(1)
        by_class = np.argsort(class_indices, kind="stable")
        starts = np.searchsorted(class_indices[by_class], class_indices[by_class])
        rank = np.empty_like(order)  # position of each row among the rows of its class
        rank[by_class] = np.arange(len(order)) - starts
        return np.asarray(order[np.argsort(rank, kind="stable")][:count])


def training_dataset(
    manifest: Manifest, samples: SampleSet, class_indices: Mapping[str, int]
) -> Dataset:
    """Create the data set of stored samples.

    Args:
        manifest: manifest of the model.
        samples: samples of the store.
        class_indices: class name → class index, for at least the classes of `samples`.
    """
    targets = np.full((len(samples), manifest.capacity), np.nan, np.float32)
    targets[:, [class_indices[name] for name in samples.classes]] = samples.targets
    _, sample_indices, augmentations = np.unique(
        samples.samples, return_inverse=True, return_counts=True
    )
    fraction = 1 / augmentations[sample_indices]
    weights = TASKS[manifest.task].weights(targets, fraction)
    return Dataset(samples.features, np.nan_to_num(targets), weights, samples.samples, fraction)


def unlabelled_dataset(manifest: Manifest, features: Sequence[np.ndarray]) -> Dataset:
    """Create a data set for prediction: all targets are 0, all weights are 1.

    Args:
        manifest: manifest of the model.
        features: float32 [N, …] for each features tensor.
    """
    count = len(features[0])
    targets = np.zeros((count, manifest.capacity), np.float32)
    weights = np.ones_like(targets if manifest.weights_per_output else targets[:, 0])
    return Dataset(features, targets, weights, np.arange(count), np.ones(count))
