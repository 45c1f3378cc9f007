"""The classes that no training has changed, and the means of their samples."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from ..contract.specs import FeatureSpec

__all__ = ["FeatureMean", "NewClasses"]


class FeatureMean:
    """The mean features of the samples of a class, from running sums.

    Args:
        specs: descriptions of the features tensors, from the manifest.

    Attributes:
        count: number of rows so far.
    """

    def __init__(self, specs: Sequence[FeatureSpec]) -> None:
        self.count = 0
        self._sums = [np.zeros(spec.shape) for spec in specs]

    def add(self, features: Sequence[np.ndarray]) -> None:
        """Add rows: float32 [n, …] for each features tensor; n may be 0."""
        self.count += len(features[0])
        for total, rows in zip(self._sums, features, strict=True):
            total += rows.sum(0, dtype=np.float64)

    def row(self) -> list[np.ndarray]:
        """Return the mean: float32 [1, …] for each features tensor; [0, …] if there is no row."""
        rows = [(total / max(self.count, 1))[np.newaxis] for total in self._sums]
        return [row[: self.count].astype(np.float32) for row in rows]


class NewClasses:
    """The classes that no training has changed, with the means of their samples.

    Args:
        specs: descriptions of the features tensors, from the manifest.

    Attributes:
        means: class name → mean of its samples.
        changed: names of the classes with samples that their weights do not contain yet.
    """

    def __init__(self, specs: Sequence[FeatureSpec]) -> None:
        self._specs = specs
        self.means: dict[str, FeatureMean] = {}
        self.changed: set[str] = set()
        self._in_training: dict[str, FeatureMean] = {}

    def __contains__(self, label: object) -> bool:
        return label in self.means

    def has_samples(self, label: str) -> bool:
        """Return whether a class has samples."""
        return label in self.means and self.means[label].count > 0

    def include(self, labels: Iterable[str]) -> None:
        """Include classes that have weights already, or zeros."""
        for label in labels:
            self.means.setdefault(label, FeatureMean(self._specs))

    def exclude(self, labels: Iterable[str]) -> None:
        """Exclude classes, which are trained."""
        for label in labels:
            self.means.pop(label, None)
            self.changed.discard(label)

    def add_class(self, label: str) -> None:
        """Add a class without samples."""
        self.include([label])
        self.changed.add(label)

    def add_samples(self, label: str, features: Sequence[np.ndarray]) -> None:
        """Add samples of a class: float32 [n, …] for each features tensor."""
        self.means[label].add(features)
        self.changed.add(label)

    def set_samples(self, label: str, features: Sequence[np.ndarray]) -> None:
        """Replace all samples of a class: float32 [n, …] for each features tensor."""
        self.means[label] = FeatureMean(self._specs)
        self.add_samples(label, features)

    def rename(self, renamed: Mapping[str, str]) -> None:
        """Rename classes.

        Args:
            renamed: old name → new name.
        """
        self.means = {renamed.get(name, name): mean for name, mean in self.means.items()}
        self.changed = {renamed.get(name, name) for name in self.changed}
        self._in_training = {renamed.get(x, x): mean for x, mean in self._in_training.items()}

    def begin_training(self) -> None:
        """Note the classes of a training: those with samples."""
        self._in_training = {label: mean for label, mean in self.means.items() if mean.count}

    def end_training(self, *, has_failed: bool) -> None:
        """Remove the classes of the training, or include them again if it has failed.

        All other classes with samples have to be imprinted again.
        """
        if has_failed:
            self.means = {**self._in_training, **self.means}
        else:
            self.exclude(self._in_training)
        self.changed = {label for label, mean in self.means.items() if mean.count}
