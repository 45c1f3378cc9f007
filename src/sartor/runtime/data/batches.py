"""Batches as the signatures take them: always B rows, those that are not there of weight 0."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ...contract.manifest import Manifest
from ...contract.names import FEATURES, LABELS, LOSS, OUTPUT, WEIGHTS
from ...contract.signatures import numbered
from ...litert import Engine
from .dataset import Dataset

__all__ = ["Batch", "evaluate_batches"]


class Batch:
    """Arrays of one batch, filled again for each: LiteRT copies what it is given.

    Args:
        manifest: of the file.
    """

    def __init__(self, manifest: Manifest) -> None:
        self.size = manifest.batch
        self._features = {
            numbered(FEATURES, index): np.zeros((self.size, *spec.shape), np.float32)
            for index, spec in enumerate(manifest.features)
        }
        self._labels = np.zeros((self.size, manifest.capacity), np.float32)
        shape = self._labels.shape if manifest.weights_per_output else (self.size,)
        self._weights = np.zeros(shape, np.float32)
        self._row_weights = np.zeros(self.size, np.float32)

    def labelled_inputs(self, samples: Dataset, rows: np.ndarray) -> dict[str, np.ndarray]:
        """Samples with their targets and weights, for `train` and `evaluate`.

        Args:
            samples: N rows.
            rows: int [n], n ≤ B; which of them.
        """
        _fill(self._labels, samples.targets, rows)
        _fill(self._weights, samples.weights, rows)
        filled = self._filled(samples.features, rows)
        return {**filled, LABELS: self._labels, WEIGHTS: self._weights}

    def class_inputs(self, features: Sequence[np.ndarray]) -> dict[str, np.ndarray]:
        """Samples of one class, for `set_class`: float32 [n, …] each, n ≤ B."""
        count = len(features[0])
        self._row_weights[:count], self._row_weights[count:] = 1, 0
        return {**self._filled(features, np.arange(count)), WEIGHTS: self._row_weights}

    def _filled(self, features: Sequence[np.ndarray], rows: np.ndarray) -> dict[str, np.ndarray]:
        for batch, array in zip(self._features.values(), features, strict=True):
            _fill(batch, array, rows)
        return self._features


def evaluate_batches(engine: Engine, batch: Batch, samples: Dataset) -> tuple[float, np.ndarray]:
    """The mean loss by the samples' weights, and the outputs [N, C]; nothing is learned.

    Args:
        engine: holds the model.
        batch: is filled anew.
        samples: at least one.
    """
    outputs, loss = [], 0.0
    for start in range(0, len(samples), batch.size):
        rows = np.arange(start, min(start + batch.size, len(samples)))
        found = engine.run("evaluate", batch.labelled_inputs(samples, rows))
        loss += float(found[LOSS][0]) * float(samples.weights[rows].sum())
        outputs.append(found[OUTPUT][: len(rows)])
    return loss / float(samples.weights.sum()), np.concatenate(outputs)


def _fill(batch: np.ndarray, array: np.ndarray, rows: np.ndarray) -> None:
    array.take(rows, 0, out=batch[: len(rows)], mode="clip")  # "raise" would copy
    batch[len(rows) :] = 0
