"""A few typical directions of each class, which stand for its samples."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

__all__ = ["directions", "typical", "within_class_similarity"]

_MOST, _ROUNDS = 4, 10
_ENOUGH = 256  # samples of a class: more do not move its clusters


def directions(features: Sequence[np.ndarray]) -> np.ndarray:
    """Features float32 [N, …] each, joined as rows [N, F] of length 1; zeros stay zeros."""
    rows = np.concatenate([array.reshape(len(array), -1) for array in features], 1)
    return _unit(rows.astype(np.float32, copy=False))


def within_class_similarity(rows: np.ndarray, slots: np.ndarray) -> float:
    """The mean cosine of two samples of one class, 0.05…1; 1 where no class has two.

    Args:
        rows: float32 [N, F] of length 1.
        slots: int [N]; the class of each.
    """
    total, pairs = 0.0, 0
    for slot in np.unique(slots):
        own = rows[slots == slot]
        total += len(own) * float((own.mean(0) ** 2).sum()) - 1
        pairs += len(own) - 1
    return min(max(total / pairs, 0.05), 1.0) if pairs else 1.0


def typical(
    rows: np.ndarray, slots: np.ndarray, counts: np.ndarray, like: float
) -> tuple[np.ndarray, np.ndarray]:
    """At most four rows a class that lie near all of its samples.

    A sample is nearer to the mean of many others than to a single one: its cosine is `√ρ` or `ρ`,
    where `ρ` is the likeness. So the rows of a class of n samples get the length
    `√(1 + (1/ρ − 1)/n)`, and a new class is not held to what only a well-known one can reach.

    Args:
        rows: float32 [N, F] of length 1; N above 0.
        slots: int [N]; the class of each.
        counts: int [C]; n of each class.
        like: ρ, of the samples of all classes.

    Returns:
        float32 [R, F], and the class of each int64 [R].
    """
    found, of = [], []
    for slot in np.unique(slots):
        own = rows[slots == slot]
        length = np.float32(np.sqrt(1 + (1 / like - 1) / counts[slot]))
        found.append(length * _clusters(own[:: -(-len(own) // _ENOUGH)]))
        of.append(np.full(len(found[-1]), slot, np.int64))
    return np.concatenate(found), np.concatenate(of)


def _clusters(rows: np.ndarray) -> np.ndarray:
    """Spherical k-means, from the most central sample and those farthest from all before."""
    centres = rows[[int((rows @ rows.mean(0)).argmax())]]
    while len(centres) < min(_MOST, len(rows)):
        farthest = int((rows @ centres.T).max(1).argmin())
        centres = np.concatenate([centres, rows[[farthest]]])
    for _ in range(_ROUNDS):
        nearest = (rows @ centres.T).argmax(1)
        sums = np.equal.outer(np.arange(len(centres)), nearest).astype(np.float32) @ rows
        centres = np.where(sums.any(1, keepdims=True), _unit(sums), centres)
    return np.asarray(centres)


def _unit(rows: np.ndarray) -> np.ndarray:
    lengths = np.linalg.norm(rows, axis=-1, keepdims=True)
    return np.asarray(rows / np.maximum(lengths, 1e-12))
