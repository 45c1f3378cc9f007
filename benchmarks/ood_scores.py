"""Scores of other out-of-distribution detectors, fitted to training samples."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

__all__ = ["SCORES", "Score", "fit_scores", "softmax"]

Score = Callable[[np.ndarray, np.ndarray], np.ndarray]
"""Takes features [N, F] and logits [N, C]; returns a score per sample: high if in-distribution."""

SCORES = (
    "max softmax",
    "energy",
    "max logit",
    "Mahalanobis",
    "relative Mahalanobis",
    "k-NN",
    "class means",
)
_SHRINKAGE = 0.1  # of covariances, towards a multiple of the identity


def fit_scores(features: np.ndarray, labels: np.ndarray) -> dict[str, Score]:
    """Return the detectors `SCORES`, fitted to features [N, F] and class indices [N]."""
    classes = np.unique(labels)
    means = np.stack([features[labels == label].mean(0) for label in classes])
    directions = np.stack([_unit(features[labels == label]).mean(0) for label in classes])
    within = _Distances(features - means[np.searchsorted(classes, labels)], means)
    overall = _Distances(features - features.mean(0), features.mean(0, keepdims=True))
    neighbors = _unit(features)
    return {
        "max softmax": lambda _, logits: softmax(logits).max(1),
        "energy": lambda _, logits: np.logaddexp.reduce(logits, 1),
        "max logit": lambda _, logits: logits.max(1),
        "Mahalanobis": lambda rows, _: -within(rows),
        "relative Mahalanobis": lambda rows, _: overall(rows) - within(rows),
        "k-NN": lambda rows, _: (_unit(rows) @ neighbors.T).max(1),
        "class means": lambda rows, _: (_unit(rows) @ _unit(directions).T).max(1),
    }


class _Distances:
    """Squared Mahalanobis distances to the nearest of some centers.

    The covariance is `ridge · I` outside the span of the residuals.

    Args:
        residuals: [N, F], which the covariance is computed from.
        centers: [R, F].
    """

    def __init__(self, residuals: np.ndarray, centers: np.ndarray) -> None:
        rows = residuals.astype(np.float64)
        self._ridge = max(_SHRINKAGE * float((rows**2).mean()), 1e-12)
        _, deviations, self._axes = np.linalg.svd(rows, full_matrices=False)
        variances = self._ridge + (1 - _SHRINKAGE) * deviations**2 / len(rows)
        self._factors = 1 / variances - 1 / self._ridge
        self._centers = centers.astype(np.float64)

    def __call__(self, rows: np.ndarray) -> np.ndarray:
        rows = rows.astype(np.float64)
        projected, centers = rows @ self._axes.T, self._centers @ self._axes.T
        squares = _squared_distances(rows, self._centers, 1 / self._ridge)
        return np.asarray((squares + _squared_distances(projected, centers, self._factors)).min(1))


def _squared_distances(
    rows: np.ndarray, others: np.ndarray, factors: np.ndarray | float
) -> np.ndarray:
    """Return the squared distances [N, M] of rows [N, F] and [M, F], weighted by feature."""
    squares = (factors * rows**2).sum(1)[:, None] + (factors * others**2).sum(1)
    return np.asarray(squares - 2 * (factors * rows) @ others.T)


def _unit(rows: np.ndarray) -> np.ndarray:
    """Return the rows, scaled to length 1."""
    return np.asarray(rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-12))


def softmax(logits: np.ndarray) -> np.ndarray:
    """Return the softmax of each row."""
    powers = np.exp(logits - logits.max(1, keepdims=True))
    return np.asarray(powers / powers.sum(1, keepdims=True))
