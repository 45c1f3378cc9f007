"""Metrics of binary detectors."""

from __future__ import annotations

import numpy as np

__all__ = ["auroc"]


def auroc(positive: np.ndarray, negative: np.ndarray) -> float:
    """Return the fraction of pairs in which the positive score is larger; ties count half."""
    ordered = np.sort(negative)
    below, upto = (np.searchsorted(ordered, positive, side) for side in ("left", "right"))
    return float((below + upto).mean()) / 2 / len(negative)
