"""Prototypes: a few typical feature directions per class."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

__all__ = ["class_prototypes", "unit_features"]

_MAX_PROTOTYPES = 4  # per class
_ITERATIONS = 3
_EPSILON = 1e-12


def unit_features(features: Sequence[np.ndarray]) -> np.ndarray:
    """Concatenate the features of each sample and scale them to length 1.

    Args:
        features: float32 [N, …] for each features tensor.

    Returns:
        float32 [N, F]; a row of zeros stays zero.
    """
    rows = np.concatenate([array.reshape(len(array), -1) for array in features], 1)
    return _normalize(rows.astype(np.float32, copy=False))


def class_prototypes(
    rows: np.ndarray, class_indices: np.ndarray, similarity: float
) -> tuple[np.ndarray, np.ndarray]:
    """Compute at most four prototypes per class, with spherical k-means.

    The cosine similarity between a sample and the mean of many others is about √ρ; between a
    sample and a single other one it is ρ. So the prototypes of a class with n samples get the
    length √(1 + (1/ρ − 1)/n), which makes scores of classes with few and with many samples
    comparable.

    Args:
        rows: float32 [N, F], each of length 1; N at least 1.
        class_indices: int [N]; class index of each row.
        similarity: ρ, the mean cosine similarity within a class, above 0.

    Returns:
        The prototypes, float32 [R, F], and their class indices, int64 [R].
    """
    prototypes, indices = [], []
    for index in np.unique(class_indices):
        members = rows[class_indices == index]
        length = np.float32(np.sqrt(1 + (1 / similarity - 1) / len(members)))
        centers = length * _spherical_k_means(members)
        prototypes.append(centers)
        indices.append(np.full(len(centers), index, np.int64))
    return np.concatenate(prototypes), np.concatenate(indices)


def _spherical_k_means(rows: np.ndarray) -> np.ndarray:
    """Return at most four cluster centers of length 1.

    The first centers are evenly spaced rows: rows beside each other may be photos of one burst.
    """
    count = min(_MAX_PROTOTYPES, len(rows))
    centers = rows[np.arange(count) * len(rows) // count]
    for _ in range(_ITERATIONS):
        nearest = (rows @ centers.T).argmax(1)
        sums = np.equal.outer(np.arange(count), nearest).astype(np.float32) @ rows
        centers = np.where(sums.any(1, keepdims=True), _normalize(sums), centers)
    return np.asarray(centers)


def _normalize(rows: np.ndarray) -> np.ndarray:
    lengths = np.linalg.norm(rows, axis=-1, keepdims=True)
    return np.asarray(rows / np.maximum(lengths, _EPSILON))
