"""The features of the head for rows of a sample store."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ...litert import Engine, head_features
from ..store import StoredFeatures

__all__ = ["head_rows"]

_ROWS = 32  # that are in memory at once


def head_rows(head: Engine, features: Sequence[np.ndarray]) -> list[np.ndarray]:
    """Return the features of the head, for features of the file; those of a store are streamed.

    Args:
        head: result of `head_engine`.
        features: float32 [n, …] for each features tensor.
    """
    if not isinstance(features, StoredFeatures):
        return head_features(head, features)
    starts = range(0, max(1, features.rows), _ROWS)
    ends = (min(start + _ROWS, features.rows) for start in starts)
    batches = (np.arange(start, end) for start, end in zip(starts, ends, strict=True))
    parts = [head_features(head, features.read(rows)[0]) for rows in batches]
    return [np.concatenate(each) for each in zip(*parts, strict=True)]
