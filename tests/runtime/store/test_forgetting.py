"""Forgotten samples are in no page of the file, and in no file beside it."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from stores import add, content, create_store, feature_row, files, manifest, secret

from sartor.runtime.store import SampleStore, connect


def traces(path: Path, secrets: list[bytes]) -> int:
    """Return the number of secrets that the files contain, completely or in part."""
    file_content = b"\0".join(files(path))
    parts = [
        [each[start : start + 16] for start in range(0, len(each) - 15, 16)] for each in secrets
    ]
    return sum(any(part in file_content for part in each) for each in parts)


def secrets(number: int) -> list[bytes]:
    """Return all bytes that identify a sample of `one_class_per_sample`."""
    features = feature_row(number)[0].astype("<f2").tobytes()
    names = ("source", "thumbnail", "photo")
    return [features, _name(number).encode(), *(secret(number, name) for name in names)]


def _name(number: int) -> str:
    return secret(number, "label").hex()


def one_class_per_sample(path: Path, count: int) -> SampleStore:
    """Return a store with one class per sample, so that names are inserted anywhere."""
    store = SampleStore(path, manifest())
    with store.transaction():
        for number in range(count):
            store.add(
                [feature_row(number)], {_name(number): 1}, source=secret(number, "source"),
                thumbnail=secret(number, "thumbnail"), photo=secret(number, "photo") * 40,
            )  # fmt: skip
    return store


@pytest.mark.parametrize("by_class", [False, True])
def test_forgetting_leaves_no_trace(tmp_path: Path, by_class: bool) -> None:
    deleted = [int(number) for number in np.random.default_rng(1).permutation(400)[:60]]
    with one_class_per_sample(tmp_path / "s", 400) as store:
        deleted_bytes = [each for number in deleted for each in secrets(number)]
        # the check can fail
        assert traces(tmp_path / "s", deleted_bytes) == len(deleted_bytes)
        if by_class:
            for number in deleted[:5]:
                store.forget_class(_name(number))
            deleted = deleted[:5]
            deleted_bytes = [each for number in deleted for each in secrets(number)]
        else:
            with store.transaction():
                store.forget(number + 1 for number in deleted)
        assert traces(tmp_path / "s", deleted_bytes) == 0
        remaining = sorted(set(range(400)) - set(deleted))
        assert [sample.id for sample in store.samples()] == [number + 1 for number in remaining]
        assert traces(tmp_path / "s", secrets(remaining[7])) == 5


def test_forgetting_leaves_no_trace_of_moved_rows(tmp_path: Path) -> None:
    """With `secure_delete` alone, four of these names remain in gaps of pages."""
    rng = np.random.default_rng(1)
    remaining: dict[int, str] = {}
    deleted = []
    with SampleStore(tmp_path / "s", manifest()) as store:
        with store.transaction():
            for _ in range(40):
                for _ in range(12):
                    name = rng.bytes(int(rng.integers(20, 400))).hex()
                    remaining[store.add([feature_row(0)], {name: 1})] = name
                for number in rng.permutation(sorted(remaining))[:8].tolist():
                    deleted.append(remaining.pop(number).encode())
                    store.forget([number])
        assert traces(tmp_path / "s", deleted) == 0


def test_training_does_not_see_a_forgotten_sample(tmp_path: Path) -> None:
    def rows(path: Path, omitted: int | None) -> list[bytes]:
        with SampleStore(path, manifest()) as store:
            for number in range(9):
                if number != omitted:
                    add(store, number)
            if omitted is None:
                store.forget([5])
            selection = store.select()
            return [selection.features[0].tobytes(), selection.targets.tobytes()]

    assert rows(tmp_path / "forgot", None) == rows(tmp_path / "never", 4)


def test_bytes_that_a_reader_holds_are_overwritten_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "s"
    monkeypatch.setattr(connect, "_LOCK_TIMEOUT", 0.1)
    store = one_class_per_sample(path, 20)
    with closing(sqlite3.connect(path, isolation_level=None)) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM sample").fetchall()
        with pytest.warns(RuntimeWarning, match=r"not overwritten yet.*tries again.*locked"):
            store.forget([4])
        assert len(store) == 19
        add(store, 0)  # the next change succeeds
        assert traces(path, secrets(3)) > 0
        reader.execute("COMMIT")
    add(store, 1)
    assert traces(path, secrets(3)) == 0
    assert len(store) == 21
    store.close()


def test_the_next_opening_overwrites_after_a_kill(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "s"
    monkeypatch.setattr(connect, "_LOCK_TIMEOUT", 0.1)
    store = one_class_per_sample(path, 20)
    with closing(sqlite3.connect(path, isolation_level=None)) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM sample").fetchall()
        with pytest.warns(RuntimeWarning):
            store.forget([4])
        copy = tmp_path / "killed"
        for end in ("", "-wal"):  # the files that a killed process leaves
            copy.with_name(copy.name + end).write_bytes(path.with_name("s" + end).read_bytes())
    assert traces(copy, secrets(3)) > 0
    with SampleStore(copy, manifest()) as reopened:
        assert len(reopened) == 19
        assert traces(copy, secrets(3)) == 0
    store.close()


def test_forgetting_that_fails_changes_nothing() -> None:
    with create_store(None) as store:
        before = content(store)
        with pytest.raises(KeyError):
            _forget_and_fail(store)
        assert content(store) == before


def _forget_and_fail(store: SampleStore) -> None:
    with store.transaction():
        store.forget([1])
        raise KeyError
