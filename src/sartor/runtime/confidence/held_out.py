"""Compare samples with the prototypes of other samples, to fit an OOD detector."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from .prototypes import class_prototypes
from .within_class_metric import WithinClassMetric

__all__ = ["Part", "held_out_parts", "held_out_similarities", "within_class_similarity"]

_MIN_SIMILARITY = 0.05


@dataclass(frozen=True)
class Part:
    """The rows that are held out together.

    Attributes:
        held_out: bool [N], the rows of a fold.
        metric: metric of the other rows.
    """

    held_out: np.ndarray
    metric: WithinClassMetric


def held_out_parts(rows: np.ndarray, class_indices: np.ndarray, folds: np.ndarray) -> list[Part]:
    """Return a part for each fold that does not have all rows."""
    parts = []
    for fold in np.unique(folds[folds >= 0]):
        others = folds != fold
        if others.any():
            metric = WithinClassMetric.fit(rows[others], class_indices[others])
            parts.append(Part(~others, metric))
    return parts


def within_class_similarity(
    rows: np.ndarray, class_indices: np.ndarray, parts: Sequence[Part]
) -> float:
    """Return ρ, the mean cosine similarity of two rows of a class, 0.05…1.

    The pairs are rows of the same part, in its metric. If no part has two rows of a class, they are
    any two rows, in the plain metric. Without pairs, ρ is 1.
    """
    plain = Part(np.ones(len(rows), bool), WithinClassMetric.plain(rows.shape[1]))
    for some in (parts, [plain]):
        sums = np.zeros(2)
        for part in some:
            held_out = part.held_out
            sums += part.metric.sum_similarities(rows[held_out], class_indices[held_out])
        if sums[1]:
            return min(max(float(sums[0] / sums[1]), _MIN_SIMILARITY), 1.0)
    return 1.0


def held_out_similarities(
    rows: np.ndarray, class_indices: np.ndarray, parts: Sequence[Part], within: float
) -> tuple[np.ndarray, np.ndarray]:
    """Compare each held-out row with the prototypes of the rows outside its fold.

    Returns:
        The largest similarity of each row, [N], and whether it is valid, bool [N]: the row is
        held out, and the other folds have samples of its class.
    """
    similarities, valid = np.zeros(len(rows)), np.zeros(len(rows), bool)
    for part in parts:
        held_out, others = part.held_out, ~part.held_out
        prototypes, indices = class_prototypes(rows[others], class_indices[others], within)
        products = rows[held_out] @ part.metric.transform(prototypes).T
        similarities[held_out] = products.max(1) / part.metric.norms(rows[held_out])
        valid[held_out] = np.isin(class_indices[held_out], indices)
    return similarities, valid
