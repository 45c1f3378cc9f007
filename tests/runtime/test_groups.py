"""Near-duplicate samples share a group; different samples do not."""

from __future__ import annotations

import numpy as np
import pytest

from sartor.runtime.confidence.groups import group_near_duplicates

F = 24


def bursts(photos: int, copies: int, *, jitter: float = 0.15, seed: int = 0) -> np.ndarray:
    """Draw photos, each followed by copies of it: [photos · (1 + copies), F]."""
    rng = np.random.default_rng(seed)
    rows = np.repeat(rng.normal(size=(photos, F)), 1 + copies, 0)
    return (rows + jitter * rng.normal(size=rows.shape)).astype(np.float32)


def group(
    rows: np.ndarray,
    *,
    class_indices: np.ndarray | None = None,
    ids: np.ndarray | None = None,
) -> list[int]:
    count = np.arange(len(rows))
    groups = group_near_duplicates(
        [rows],
        np.zeros(len(rows), int) if class_indices is None else class_indices,
        count if ids is None else ids,
    )
    return [int(each) for each in groups]


@pytest.mark.parametrize("scale", [1e-3, 1.0, 1e3])
@pytest.mark.parametrize("offset", [0.0, 100.0])
def test_the_photos_of_a_burst_share_a_group(scale: float, offset: float) -> None:
    rows = scale * (bursts(5, 4) + np.float32(offset))
    assert group(rows) == np.repeat(range(5), 5).tolist()


def test_copies_that_were_added_later_share_a_group() -> None:
    order = np.arange(25).reshape(5, 5).T.ravel()  # all photos, then a copy of each, and so on
    assert group(bursts(5, 4)[order]) == 5 * [0, 1, 2, 3, 4]


@pytest.mark.parametrize("photos", [2, 20, 400])
def test_different_photos_have_groups_of_their_own(photos: int) -> None:
    groups = group(bursts(photos, 0))
    assert len(set(groups)) > 0.9 * photos


def test_near_duplicates_of_different_classes_have_different_groups() -> None:
    rows = bursts(6, 1)
    groups = group(rows, class_indices=np.tile([0, 1], 6))
    assert len(set(groups)) == 12


@pytest.mark.parametrize(("fraction", "is_one"), [(0.49, True), (0.51, False)])
def test_near_is_half_of_the_typical_distance(fraction: float, is_one: bool) -> None:
    rows = bursts(80, 0)
    typical = np.sqrt(2 * rows[1:].var(0, ddof=1).sum())
    step = rows[1] - rows[0]
    rows[1] = rows[0] + fraction * typical * step / np.linalg.norm(step)
    groups = group(rows)
    assert (groups[0] == groups[1]) == is_one


def test_augmentations_belong_to_the_group_of_their_sample() -> None:
    rows = bursts(6, 1, jitter=2.0)
    assert group(rows, ids=np.repeat(range(6), 2)) == np.repeat(range(6), 2).tolist()
    rows[1::2] = rows[0]  # an augmentation equals another sample: the samples differ
    assert len(set(group(rows, ids=np.repeat(range(6), 2)))) == 6


def test_several_features_tensors_are_concatenated() -> None:
    rows = bursts(5, 4)
    ids, zeros = np.arange(25), np.zeros(25)
    tensors = [rows[:, :4].reshape(-1, 2, 2), rows[:, 4:]]
    groups = group_near_duplicates(tensors, zeros.astype(int), ids)
    assert groups.tolist() == group(rows)


def test_one_sample_per_class_and_equal_samples() -> None:
    assert group(bursts(3, 0), class_indices=np.arange(3)) == [0, 1, 2]
    assert group(np.ones((4, F), np.float32)) == [0, 0, 0, 0]


def test_more_samples_than_are_compared() -> None:
    """Only the latest 256 representatives of a class are compared."""
    rows = bursts(300, 0)
    groups = group(np.concatenate([rows, rows[[0]], rows[[299]]]))
    assert groups[-1] == groups[299]
    assert groups[-2] not in groups[:-2]
