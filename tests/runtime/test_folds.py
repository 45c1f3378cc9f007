"""The folds of a cross-validation are stratified, and no group is split."""

from __future__ import annotations

import numpy as np
import pytest

from sartor.errors import DataError
from sartor.runtime.confidence.folds import assign_folds

CLASS_INDICES = np.repeat([0, 3, 4], [30, 12, 6])
GROUPS = np.arange(48) // 3  # three augmentations per sample


def test_augmentations_of_a_sample_are_in_one_fold() -> None:
    folds = assign_folds(CLASS_INDICES, GROUPS, folds=5)
    assert folds.dtype == np.int64
    assert all(len(set(folds[group == GROUPS])) == 1 for group in GROUPS)


def test_classes_are_spread_over_the_folds() -> None:
    folds = assign_folds(CLASS_INDICES, GROUPS, folds=5)
    assert set(folds) == set(range(5))
    for index, largest in ((0, 2), (3, 1), (4, 1)):
        assert max(np.bincount(folds[index == CLASS_INDICES][::3])) == largest


def test_folds_have_equal_sizes_even_if_no_class_fills_them() -> None:
    class_indices = np.repeat(np.arange(6), 2)
    folds = assign_folds(class_indices, np.arange(12), folds=3)
    assert np.bincount(folds).tolist() == [4, 4, 4]


def test_large_groups_are_spread_over_the_folds() -> None:
    sizes = [9, 9, 9, 1, 1, 1, 1, 1, 1]
    groups = np.repeat(np.arange(9), sizes)
    for seed in range(5):
        folds = assign_folds(np.zeros(33, int), groups, folds=3, seed=seed)
        assert np.bincount(folds).tolist() == [11, 11, 11]


def test_a_class_with_one_sample_is_never_held_out() -> None:
    class_indices, groups = np.array([0, 0, 1, 1, 1]), np.array([0, 1, 2, 2, 2])
    folds = assign_folds(class_indices, groups, folds=3)
    assert (folds[:2] >= 0).all()
    assert folds[2:].tolist() == [-1, -1, -1]


def test_the_seed_decides() -> None:
    folds = [assign_folds(CLASS_INDICES, GROUPS, seed=seed).tolist() for seed in (0, 0, 1)]
    assert folds[0] == folds[1] != folds[2]


def test_one_fold_is_refused() -> None:
    with pytest.raises(DataError, match="at least 2"):
        assign_folds(CLASS_INDICES, GROUPS, folds=1)
