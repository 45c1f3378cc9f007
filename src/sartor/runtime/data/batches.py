"""Batches: the inputs of the signatures, always B rows; missing rows have weight 0."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ...contract.manifest import Manifest
from ...contract.names import FEATURES, LABELS, LOSS, OUTPUT, SAMPLE_WEIGHTS
from ...contract.signatures import numbered
from ...litert import Engine
from ..store import StoredFeatures
from .dataset import Dataset

__all__ = ["Batch", "evaluate_batches", "split_evenly"]


class Batch:
    """Input arrays of one batch.

    The arrays are allocated once and filled for each batch, since LiteRT copies its inputs.

    Args:
        manifest: manifest of the model.

    Attributes:
        size: B, the number of rows.
    """

    def __init__(self, manifest: Manifest) -> None:
        self.size = manifest.batch_size
        self._features = {
            numbered(FEATURES, index): np.zeros((self.size, *spec.shape), np.float32)
            for index, spec in enumerate(manifest.features)
        }
        labels = np.zeros((self.size, manifest.capacity), np.float32)
        weights = np.zeros(labels.shape if manifest.weights_per_output else self.size, np.float32)
        self._labelled = {**self._features, LABELS: labels, SAMPLE_WEIGHTS: weights}
        self._row_weights = np.zeros(self.size, np.float32)

    def labelled_inputs(self, dataset: Dataset, rows: np.ndarray) -> dict[str, np.ndarray]:
        """Return the inputs `features`, `labels` and `sample_weights` of `train` and `evaluate`.

        Args:
            dataset: N rows.
            rows: int [n], n ≤ B; row indices. Rows n…B − 1 of the batch are 0, and so are rows
                of samples that were deleted from the store, except their labels.
        """
        features, places, found = dataset.features, rows, None
        if isinstance(features, StoredFeatures):
            features, found = features.read(rows)
            places = np.arange(len(rows))
        for batch, array in zip(self._features.values(), features, strict=True):
            _fill(batch, array, places)
        _fill(self._labelled[LABELS], dataset.targets, rows)
        _fill(self._labelled[SAMPLE_WEIGHTS], dataset.weights, rows)
        if found is not None:
            self._labelled[SAMPLE_WEIGHTS][: len(rows)][~found] = 0
        return dict(self._labelled)

    def class_inputs(self, features: Sequence[np.ndarray]) -> dict[str, np.ndarray]:
        """Return the inputs `features` and `sample_weights` of `set_class`.

        Args:
            features: float32 [n, …] for each features tensor, n ≤ B.
        """
        count = len(features[0])
        self._row_weights[:count], self._row_weights[count:] = 1, 0
        for batch, array in zip(self._features.values(), features, strict=True):
            batch[:count], batch[count:] = array, 0
        return {**self._features, SAMPLE_WEIGHTS: self._row_weights}


def evaluate_batches(engine: Engine, batch: Batch, dataset: Dataset) -> tuple[float, np.ndarray]:
    """Evaluate a model on a data set, batch by batch.

    Args:
        engine: engine that holds the model; its variables do not change.
        batch: input arrays to use.
        dataset: N rows, N at least 1.

    Returns:
        The weighted mean of the loss, and the outputs, float32 [N, C].
    """
    outputs, loss = [], 0.0
    for start in range(0, len(dataset), batch.size):
        rows = np.arange(start, min(start + batch.size, len(dataset)))
        inputs = batch.labelled_inputs(dataset, rows)
        result = engine.run("evaluate", inputs)
        loss += float(result[LOSS][0]) * float(inputs[SAMPLE_WEIGHTS][: len(rows)].sum())
        outputs.append(result[OUTPUT][: len(rows)])
    return loss / float(dataset.weights.sum()), np.concatenate(outputs)


def split_evenly(count: int, parts: int) -> list[slice]:
    """Split `count` rows into parts whose sizes differ by at most one."""
    ends = np.cumsum([count // parts + (part < count % parts) for part in range(parts)]).tolist()
    return [slice(start, end) for start, end in zip([0, *ends], ends, strict=False)]


def _fill(batch: np.ndarray, array: np.ndarray, rows: np.ndarray) -> None:
    """Copy rows of an array into the first rows of a batch, and zero the others."""
    count = len(rows)
    array.take(rows, 0, batch[:count], "clip")  # "raise" would copy
    if count < len(batch):
        batch[count:] = 0
