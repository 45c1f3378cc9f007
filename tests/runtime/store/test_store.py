"""The methods of the sample store."""

from __future__ import annotations

import sqlite3
from datetime import datetime, timezone
from pathlib import Path

import numpy as np
import pytest
from stores import INT8, SIZE, add, content, create_store, feature_row, manifest, secret

from sartor.contract.manifest import FeatureSpec
from sartor.errors import DataError, StoreError
from sartor.runtime.store import SampleStore, reembed_samples


@pytest.fixture(params=["file", "memory"])
def path(request: pytest.FixtureRequest, tmp_path: Path) -> Path | None:
    return tmp_path / "samples.sartor" if request.param == "file" else None


def test_samples_are_returned_as_they_were_added(path: Path | None) -> None:
    before = datetime.now(timezone.utc)
    with create_store(path) as store:
        samples = store.samples()
        assert [sample.id for sample in samples] == list(range(1, 13))
        assert len(store) == 12
        assert [sample.label for sample in samples[:3]] == ["hat", "shoes", "dress"]
        assert [sample.rows for sample in samples[:4]] == [1, 2, 3, 1]
        assert [sample.id for sample in samples if sample.held_out] == [5, 10]
        assert samples[7].source == secret(7, "source").hex()
        assert all(before <= sample.added <= datetime.now(timezone.utc) for sample in samples)
        assert store.counts() == {"hat": 4, "shoes": 4, "dress": 4}
        assert store.thumbnails("shoes", 2) == [secret(1, "thumbnail"), secret(4, "thumbnail")]
        assert [(number, data[:32]) for number, data in store.photos()] == [
            (number + 1, secret(number, "photo")) for number in range(12)
        ]


def test_rows_are_ordered_by_sample_and_augmentation(path: Path | None) -> None:
    with create_store(path) as store:
        rows = store.select()
        assert rows.samples.tolist() == [n + 1 for n in range(12) for _ in range(1 + n % 3)]
        expected = [feature_row(100 * n + each)[0] for n in range(12) for each in range(1 + n % 3)]
        np.testing.assert_array_equal(rows.features[0], np.concatenate(expected))
        assert rows.features[0].dtype == rows.targets.dtype == np.float32
        assert rows.classes == ("hat", "shoes", "dress")
        np.testing.assert_array_equal(rows.targets[1], [np.nan, 1, np.nan])


@pytest.mark.parametrize(
    ("held_out", "label", "ids"),
    [
        (None, None, range(1, 13)),
        (True, None, [5, 10]),
        (False, "hat", [1, 4, 7]),
        (None, "hat", [1, 4, 7, 10]),
        (True, "dress", []),
        (None, "socks", []),
    ],
)
def test_select_filters_samples(held_out: bool | None, label: str | None, ids: list[int]) -> None:
    with create_store(None) as store:
        rows = store.select(held_out=held_out, label=label)
        assert sorted(set(rows.samples.tolist())) == list(ids)
        assert len(rows.features[0]) == len(rows) == len(rows.targets)
        assert rows.features[0].shape[1:] == (SIZE,)
        assert rows.classes == ("hat", "shoes", "dress")


def test_a_reopened_store_has_the_same_content(tmp_path: Path) -> None:
    with create_store(tmp_path / "s") as store:
        before = content(store)
    assert [each.name for each in tmp_path.iterdir()] == ["s"]
    with SampleStore(tmp_path / "s", manifest()) as store:
        assert content(store) == before
        assert add(store, 12) == 13


def add_and_fail(store: SampleStore, number: int) -> None:
    with store.transaction():
        add(store, number)
        store.forget([99])


def test_a_transaction_is_written_completely_or_not_at_all(path: Path | None) -> None:
    with create_store(path) as store:
        before = content(store)
        with pytest.raises(DataError):
            add_and_fail(store, 12)
        assert content(store) == before
        with store.transaction():
            add(store, 12)
            with pytest.raises(DataError):
                store.rename("hat", "shoes")
            with pytest.raises(DataError):
                add_and_fail(store, 13)
            add(store, 14)
        sources = [secret(number, "source").hex() for number in (12, 14)]
        assert [sample.source for sample in store.samples()[12:]] == sources


@pytest.mark.parametrize("error", [UnicodeDecodeError("utf-8", b"", 0, 1, ""), sqlite3.Error()])
def test_an_error_of_the_caller_is_not_translated(error: Exception) -> None:
    with create_store(None) as store:
        with pytest.raises(type(error)), store.transaction():
            raise error
        assert len(store) == 12


def test_find_returns_the_sample_of_a_source(path: Path | None) -> None:
    with create_store(path) as store:
        add(store, 3)
        sample = store.find(secret(3, "source"))
        assert sample is not None
        assert sample == store.samples()[3]
        assert store.find(b"unknown") is None


def test_renaming_keeps_the_order_of_classes(path: Path | None) -> None:
    with create_store(path) as store:
        store.rename("hat", "bonnet")
        store.rename("shoes", "shoes")
        assert store.counts() == {"bonnet": 4, "shoes": 4, "dress": 4}
        assert store.samples()[0].label == "bonnet"


def test_texts_of_the_app_are_replaced_with_the_samples(tmp_path: Path) -> None:
    backup = tmp_path / "backup.samples"
    with create_store(tmp_path / "first.samples") as store:
        store.set_app_data("list/a", "old")
        store.copy_to(backup)
        store.set_app_data("list/a", "new")
        store.set_app_data("list/b", "two")
        store.set_app_data("other", "three")
        assert store.app_data("list/") == {"list/a": "new", "list/b": "two"}
        store.set_app_data("list/b", None)
        assert set(store.app_data("")) == {"list/a", "other"}
        store.restore(backup)
        assert store.app_data("") == {"list/a": "old"}


def test_forgetting_samples_and_classes(path: Path | None) -> None:
    with create_store(path) as store:
        store.forget([1, 5])
        assert [sample.id for sample in store.samples()] == [2, 3, 4, *range(6, 13)]
        store.forget_class("dress")
        assert store.counts() == {"hat": 3, "shoes": 3}
        store.forget([sample.id for sample in store.samples()])
        assert len(store) == len(store.select()) == 0
        assert store.counts() == {}
        assert add(store, 0) == 13  # ids are not reused


def test_forgetting_a_label_keeps_the_other_labels(path: Path | None) -> None:
    with SampleStore(path, manifest(task="multi_label")) as store:
        store.add([feature_row(0)], {"red": 1, "round": 0})
        store.add([feature_row(1)], {"red": 0})
        store.add([feature_row(2)], {"round": 1})
        assert store.counts() == {"red": 1, "round": 1}
        store.forget_class("red")
        assert {s.id: dict(s.targets) for s in store.samples()} == {
            1: {"round": 0},
            3: {"round": 1},
        }
        assert store.counts() == {"round": 1}


def test_a_regression_stores_any_number(path: Path | None) -> None:
    with SampleStore(path, manifest(task="regression")) as store:
        store.add([feature_row(0)], {"x": -2.5, "y": 1e-3})
        store.add([feature_row(1)], {"y": 7})
        np.testing.assert_array_equal(
            store.select().targets, np.array([[-2.5, 1e-3], [np.nan, 7]], np.float32)
        )
        assert store.counts() == {"x": 1, "y": 2}


def test_several_features_tensors_are_stored(path: Path | None) -> None:
    specs = (INT8, FeatureSpec("features_1", (2, 3)), FeatureSpec("features_2", ()))
    rows = [[feature_row(10 * n + each, *specs) for each in range(2)] for n in range(3)]
    rows[1][0][1][0, 0, 0] = 1e6  # too large for float16
    with SampleStore(path, manifest(*specs)) as store:
        for each in rows:
            store.add(each, {"hat": 1})
        for tensor, actual in enumerate(store.select().features):
            expected = np.concatenate([row[tensor] for sample in rows for row in sample])
            assert actual.tobytes() == expected.tobytes()
            assert actual.shape == expected.shape


def test_a_store_of_another_base_is_refused(tmp_path: Path) -> None:
    create_store(tmp_path / "s").close()
    with pytest.raises(StoreError, match=r"another base.*sartor\.runtime\.reembed"):
        SampleStore(tmp_path / "s", manifest(base="another"))


def test_photos_are_embedded_again_for_another_base(tmp_path: Path) -> None:
    new = manifest(FeatureSpec("features", (4,)), base="another")

    def embed(photo: bytes) -> list[list[np.ndarray]]:
        return [[np.frombuffer(photo, np.uint8)[np.newaxis, :4].astype(np.float32)]] * 2

    with create_store(tmp_path / "s") as store:
        before, photos = store.samples(), list(store.photos())
    reembed_samples(tmp_path / "s", new, embed)
    with SampleStore(tmp_path / "s", new) as store:
        rows = store.select()
        expected = [row for _, photo in photos for tensors in embed(photo) for row in tensors]
        np.testing.assert_array_equal(rows.features[0], np.concatenate(expected))
        assert [sample.targets for sample in store.samples()] == [s.targets for s in before]


def test_a_store_without_a_photo_cannot_be_embedded_again(tmp_path: Path) -> None:
    with create_store(tmp_path / "s") as store:
        store.add([feature_row(0)], {"hat": 1})
        before = content(store)
    with pytest.raises(StoreError, match="photo of sample 13 is not stored"):
        reembed_samples(tmp_path / "s", manifest(base="another"), lambda photo: [feature_row(0)])
    with SampleStore(tmp_path / "s", manifest()) as store:
        assert content(store) == before


def test_a_copy_is_one_complete_file(path: Path | None, tmp_path: Path) -> None:
    folder = tmp_path / "backups"
    folder.mkdir()
    with create_store(path) as store:
        store.copy_to(folder / "b")
        before = content(store)
    assert [each.name for each in folder.iterdir()] == ["b"]
    assert (folder / "b").stat().st_mode & 0o77 == 0
    with SampleStore(folder / "b", manifest()) as copy:
        assert content(copy) == before
