"""The samples that a model learns from, as features: the photos themselves are not kept."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

__all__ = ["Samples"]


class Samples:
    """Features and class names, in memory, in the order that they came."""

    def __init__(self) -> None:
        self._features: list[tuple[np.ndarray, ...]] = []
        self._labels: list[str] = []

    def add(self, features: Sequence[np.ndarray], label: str) -> None:
        """Add one sample.

        Args:
            features: float32 [1, …], one for each features tensor.
            label: the class's name.
        """
        self._features.append(tuple(features))
        self._labels.append(label)

    def features(self, label: str | None = None) -> list[np.ndarray]:
        """float32 [N, …], one for each features tensor: of all samples, or of one class."""
        chosen = [rows for rows, of in self if label in (None, of)]
        return [np.concatenate(rows) for rows in zip(*chosen, strict=True)]

    def __iter__(self) -> Iterator[tuple[tuple[np.ndarray, ...], str]]:
        return iter(list(zip(self._features, self._labels, strict=True)))

    @property
    def labels(self) -> tuple[str, ...]:
        """The class name of each sample."""
        return tuple(self._labels)

    def __len__(self) -> int:
        return len(self._labels)
