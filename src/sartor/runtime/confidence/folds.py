"""Assignment of samples to the folds of a cross-validation."""

from __future__ import annotations

import numpy as np

from ..._random_numbers import RandomNumbers
from ...errors import DataError

__all__ = ["assign_folds"]


def assign_folds(
    class_indices: np.ndarray,
    groups: np.ndarray,
    *,
    folds: int = 3,
    seed: int = 0,
) -> np.ndarray:
    """Assign rows to folds: stratified by class, without splitting a group.

    The groups of a class are dealt to the folds in random order, the largest first.

    Args:
        class_indices: int [N]; class index of each row.
        groups: int [N], at least 0; rows with the same number, such as the augmentations of one
            sample and its near-duplicates, get the same fold.
        folds: number of folds, at least 2.
        seed: seed of the random order.

    Returns:
        int64 [N]: fold of each row, 0…folds − 1; −1 for a row that is never held out, because
        its class has one group only and the training data would lack that class.

    Raises:
        DataError: If `folds` is less than 2.
    """
    if folds < 2:
        raise DataError(f"folds must be at least 2 to hold samples out, got {folds}")
    sizes = np.bincount(groups)
    order = RandomNumbers(seed).permutation(len(sizes))
    order = order[np.argsort(-sizes[order], kind="stable")]
    fold_of_group = np.full(len(sizes), -1)
    single = np.zeros(len(groups), bool)
    assigned = 0  # classes continue where the last one ended, so that folds have equal sizes
    for index in np.unique(class_indices):
        rows = class_indices == index
        members = order[np.isin(order, groups[rows])]
        single[rows] = len(members) < 2
        members = members[fold_of_group[members] < 0]
        fold_of_group[members] = (assigned + np.arange(len(members))) % folds
        assigned += len(members)
    return np.where(single, -1, fold_of_group[groups]).astype(np.int64)
