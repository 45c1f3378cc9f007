"""Metrics of binary detectors."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

__all__ = ["auroc", "fraction_above"]


def auroc(positive: np.ndarray, negative: np.ndarray) -> float:
    """Return the fraction of pairs in which the positive score is larger; ties count half."""
    ordered = np.sort(negative)
    below, upto = (np.searchsorted(ordered, positive, side) for side in ("left", "right"))
    return float((below + upto).mean()) / 2 / len(negative)


def fraction_above(scores: Sequence[np.ndarray], limits: Sequence[float]) -> list[float]:
    """Return the fraction of each array that is at least its limit."""
    pairs = zip(scores, limits, strict=True)
    return [float(np.where(np.isnan(s), np.nan, s >= limit).mean()) for s, limit in pairs]
