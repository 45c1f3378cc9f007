"""Features that nobody has to compute: classes of made-up samples, as a MobileNetV2 gives them."""

from __future__ import annotations

import numpy as np

from .photos import Photos

__all__ = ["FEATURES", "made_up"]

FEATURES = 1280
"""Of a MobileNetV2."""

_APART = 0.5  # how far a class's mean lies from the others', beside the spread within it


def made_up(samples: int, classes: int) -> Photos:
    """Samples of each class in turn: not negative, many of them zero, not quite separable.

    Args:
        samples: N.
        classes: at most N.
    """
    rng = np.random.default_rng(0)
    slots = np.arange(samples) % classes
    means = rng.normal(size=(classes, FEATURES)) * _APART
    rows = np.maximum(rng.normal(size=(samples, FEATURES)) + means[slots], 0)
    return Photos(rows.astype(np.float32), np.array([f"class {slot}" for slot in slots]))
