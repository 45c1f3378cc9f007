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
    times: np.ndarray | None = None,
) -> list[int]:
    count = np.arange(len(rows))
    groups = group_near_duplicates(
        [rows],
        np.zeros(len(rows), int) if class_indices is None else class_indices,
        count if ids is None else ids,
        1000.0 * count if times is None else times,
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
def test_different_photos_added_within_a_second_have_groups_of_their_own(photos: int) -> None:
    groups = group(bursts(photos, 0), times=np.zeros(photos))
    assert len(set(groups)) > 0.9 * photos


def test_near_duplicates_of_different_classes_have_different_groups() -> None:
    rows = bursts(6, 1)
    groups = group(rows, class_indices=np.tile([0, 1], 6))
    assert len(set(groups)) == 12


def test_a_burst_that_drifts_is_one_group_only_if_it_is_fast() -> None:
    """Its first and last photo differ by as much as two photos do."""
    rng = np.random.default_rng(3)
    start, end, *others = rng.normal(size=(12, F))
    drift = [start + part * (end - start) for part in np.linspace(0, 1, 9)]
    rows = np.array([*drift, *others], np.float32)
    pause = np.r_[0.2 * np.arange(9), 100 * np.arange(1, 11)]
    assert len(set(group(rows, times=pause)[:9])) == 1
    assert len(set(group(rows)[:9])) > 1


def test_two_seconds_are_the_limit() -> None:
    rows = bursts(8, 0)
    rows[1] = rows[0] + 0.6 * (rows[1] - rows[0])  # nearer than 2/3, farther than 1/2
    later = 100.0 * np.arange(8)
    for gap, same in ((2.0, True), (2.1, False)):
        groups = group(rows, times=np.r_[later[1] - gap, later[1:]])
        assert (groups[0] == groups[1]) == same


def test_augmentations_belong_to_the_group_of_their_sample() -> None:
    rows = bursts(6, 1, jitter=2.0)
    assert group(rows, ids=np.repeat(range(6), 2)) == np.repeat(range(6), 2).tolist()
    rows[1::2] = rows[0]  # an augmentation equals another sample: the samples differ
    assert len(set(group(rows, ids=np.repeat(range(6), 2)))) == 6


def test_several_features_tensors_are_concatenated() -> None:
    rows = bursts(5, 4)
    ids, zeros = np.arange(25), np.zeros(25)
    tensors = [rows[:, :4].reshape(-1, 2, 2), rows[:, 4:]]
    groups = group_near_duplicates(tensors, zeros.astype(int), ids, 1000.0 * ids)
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
