"""A full store keeps equal numbers of each class, and a random sample of each."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from stores import SIZE, feature_row, manifest

from sartor.errors import DataError
from sartor.runtime.store import SampleStore


def fill(store: SampleStore, labels: str) -> list[int]:
    return [store.add([feature_row(number)], {label: 1}) for number, label in enumerate(labels)]


@pytest.mark.parametrize(
    ("labels", "bound", "counts"),
    [
        ("aaaa", 10, {"a": 4}),
        ("aaaaaaaaaa", 3, {"a": 3}),
        ("aaaaaaaaaab", 4, {"a": 3, "b": 1}),
        ("aaaaaaaaaabbbbbbbbbb", 6, {"a": 3, "b": 3}),
        ("abcabcabcabc", 6, {"a": 2, "b": 2, "c": 2}),
        ("abc", 1, {"c": 1}),
        ("bbbbbbbbbbbbbbba", 2, {"b": 1, "a": 1}),
    ],
)
def test_classes_share_the_limit(labels: str, bound: int, counts: dict[str, int]) -> None:
    with SampleStore(None, manifest(), max_samples=bound) as store:
        ids = fill(store, labels)
        assert store.counts() == counts
        assert store.samples()[-1].id == ids[-1]  # the newest sample stays


def test_each_sample_has_the_same_chance_to_stay() -> None:
    numbers = []
    for start in range(30):
        with SampleStore(None, manifest(), max_samples=10) as store:
            store._database.run("INSERT INTO sqlite_sequence VALUES ('sample', ?)", start * 40)
            fill(store, "a" * 40)
            numbers += [sample.id - start * 40 for sample in store.samples()]
    first, second = np.histogram(numbers, [1, 20, 39])[0]  # 9 of 39, and the newest
    assert abs(first - second) < 45  # 4 standard deviations


def test_near_duplicates_are_evicted_first() -> None:
    """Of 30 frames of the first photo and nine photos in between, all photos stay."""
    with SampleStore(None, manifest(), max_samples=12) as store:
        for number in range(40):
            photo = (
                feature_row(number)
                if number % 4 == 0
                else [feature_row(0)[0] + np.float32(number / 64)]
            )
            store.add([photo], {"a": 1}, source=bytes([number % 4 == 0]))
        assert len(store) == 12
        # a random draw would leave 3
        assert sum(sample.source == "01" for sample in store.samples()) >= 9


def test_max_bytes_counts_images() -> None:
    with SampleStore(None, manifest(), max_bytes=10 * 2 * SIZE) as store:
        fill(store, "a" * 20)
        assert len(store) == 10
        store.add([feature_row(0)], {"a": 1}, photo=b"x" * 5 * 2 * SIZE)
        assert len(store) == 5
        with pytest.raises(DataError, match="528 bytes, more than max_bytes = 480"):
            store.add([feature_row(0)], {"a": 1}, photo=b"x" * 480)
        assert len(store) == 5


def test_held_out_samples_are_evicted_too() -> None:
    with SampleStore(None, manifest(), max_samples=20) as store:
        for number in range(200):
            store.add([feature_row(number)], {"a": 1}, held_out=number % 2 == 0)
        assert len(store) == 20
        assert 3 <= len(store.select(held_out=True)) <= 17


def test_a_smaller_limit_holds_from_the_next_sample_on(tmp_path: Path) -> None:
    with SampleStore(tmp_path / "s", manifest()) as store:
        fill(store, "ab" * 10)
    with SampleStore(tmp_path / "s", manifest(), max_samples=4) as store:
        assert len(store) == 20
        fill(store, "a")
        assert store.counts() == {"a": 2, "b": 2}


@pytest.mark.parametrize("task", ["multi_label", "regression"])
def test_samples_without_a_class_are_evicted_too(task: str) -> None:
    with SampleStore(None, manifest(task=task), max_samples=3) as store:
        for number in range(10):
            store.add([feature_row(number)], {"x": 0})
        assert len(store) == 3


def test_a_regression_keeps_small_values_as_well_as_large_ones() -> None:
    with SampleStore(None, manifest(task="regression"), max_samples=40) as store:
        for number in range(200):
            store.add([feature_row(number)], {"x": (-1) ** number})
        values = [sample.targets["x"] for sample in store.samples()]
        assert 10 <= values.count(1) <= 30
