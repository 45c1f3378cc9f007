"""A class that is added to trained ones is predicted, and takes few samples from them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np

from sartor import PersonalModel

Convert = Callable[..., Path]
Samples = list[tuple[np.ndarray, str]]

_CLASSES = 7


def test_an_added_class_takes_few_samples_from_trained_ones(tiny: Convert) -> None:
    old, new = _samples(20, seed=1), _samples(20, seed=2)
    tests = _samples(60, seed=3)
    with PersonalModel(tiny(classes=_CLASSES)) as model:
        for sample, label in old[: 20 * (_CLASSES - 1)]:
            model.add_sample(sample, label)
        model.fit()
        others, added = tests[: 60 * (_CLASSES - 1)], tests[60 * (_CLASSES - 1) :]
        before = model.evaluate(others).accuracy
        for sample, label in new[20 * (_CLASSES - 1) :]:
            model.add_sample(sample, label)
        assert model.evaluate(added).accuracy > 0.3
        assert model.evaluate(others).accuracy > before - 0.03


def _samples(count: int, seed: int) -> Samples:
    """Return `count` overlapping samples [1, 8] of each class, class by class."""
    centers = 2 * np.random.default_rng(4).normal(size=(_CLASSES, 8))
    noise = np.random.default_rng(seed).normal(size=(_CLASSES, count, 8)) * 1.2
    rows = (centers[:, np.newaxis] + noise).astype(np.float32)
    return [(row[np.newaxis], str(index)) for index, part in enumerate(rows) for row in part]
