"""Batches as the signatures take them: always B rows, those that are not there of weight 0."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..contract import FEATURES, LABELS, WEIGHTS, numbered
from ..manifest import Manifest

__all__ = ["class_batch", "labelled_batch"]


def labelled_batch(
    manifest: Manifest, features: Sequence[np.ndarray], slots: np.ndarray
) -> dict[str, np.ndarray]:
    """Rows with labels, for `train` and `evaluate`.

    Args:
        manifest: of the file.
        features: float32 [n, …] each, n ≤ B.
        slots: int [n]; the class of each row.
    """
    count, batch = len(slots), manifest.batch
    labels = np.zeros((batch, manifest.capacity), np.float32)
    labels[np.arange(count), slots] = 1
    shape = labels.shape if manifest.weights_per_output else (batch,)
    inputs = _rows(manifest, features)
    return {**inputs, LABELS: labels, WEIGHTS: _weights(shape, count)}


def class_batch(manifest: Manifest, features: Sequence[np.ndarray]) -> dict[str, np.ndarray]:
    """Rows of one class, for `set_class`: features float32 [n, …] each, n ≤ B."""
    weights = _weights((manifest.batch,), len(features[0]))
    return {**_rows(manifest, features), WEIGHTS: weights}


def _rows(manifest: Manifest, features: Sequence[np.ndarray]) -> dict[str, np.ndarray]:
    rows = {}
    for index, array in enumerate(features):
        padded = np.zeros((manifest.batch, *array.shape[1:]), np.float32)
        padded[: len(array)] = array
        rows[numbered(FEATURES, index)] = padded
    return rows


def _weights(shape: tuple[int, ...], count: int) -> np.ndarray:
    weights = np.zeros(shape, np.float32)
    weights[:count] = 1
    return weights
