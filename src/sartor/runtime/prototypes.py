"""A few typical directions of each class, which stand for its samples."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

__all__ = ["directions", "typical"]

_MOST, _ROUNDS = 4, 10


def directions(features: Sequence[np.ndarray]) -> np.ndarray:
    """Features float32 [N, …] each, joined as rows [N, F] of length 1; zeros stay zeros."""
    rows = np.concatenate([array.reshape(len(array), -1) for array in features], 1)
    return _unit(rows.astype(np.float32, copy=False))


def typical(rows: np.ndarray, slots: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """At most four rows a class that lie near all of its samples.

    Args:
        rows: float32 [N, F] of length 1; N above 0.
        slots: int [N]; the class of each.

    Returns:
        float32 [R, F] of length 1, and the class of each int64 [R].
    """
    found = {int(slot): _clusters(rows[slots == slot]) for slot in np.unique(slots)}
    of = [np.full(len(each), slot, np.int64) for slot, each in found.items()]
    return np.concatenate(list(found.values())), np.concatenate(of)


def _clusters(rows: np.ndarray) -> np.ndarray:
    """Spherical k-means, from the most central sample and those farthest from all before."""
    centres = rows[[int((rows @ rows.mean(0)).argmax())]]
    while len(centres) < min(_MOST, len(rows)):
        farthest = int((rows @ centres.T).max(1).argmin())
        centres = np.concatenate([centres, rows[[farthest]]])
    for _ in range(_ROUNDS):
        nearest = (rows @ centres.T).argmax(1)
        sums = np.stack([rows[nearest == i].sum(0) for i in range(len(centres))])
        centres = np.where(sums.any(1, keepdims=True), _unit(sums), centres)
    return np.asarray(centres)


def _unit(rows: np.ndarray) -> np.ndarray:
    lengths = np.linalg.norm(rows, axis=-1, keepdims=True)
    return np.asarray(rows / np.maximum(lengths, 1e-12))
