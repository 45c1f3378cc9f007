"""Damaged and hostile files: the store returns the written content, or raises an error."""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from stores import HALF, SIZE, add, content, create_store, manifest

from sartor.contract.sample_store import checksum
from sartor.errors import StoreError
from sartor.runtime.store import SampleStore
from sartor.runtime.store.reading import sample_checksum


@pytest.fixture(scope="module")
def valid_store(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    path = tmp_path_factory.mktemp("valid_store") / "s"
    create_store(path, 40).close()
    return path.read_bytes()


def read(path: Path) -> object:
    """Return the content of a store, or None if the store detects damage."""
    try:
        with SampleStore(path, manifest()) as store:
            return content(store)
    except StoreError:
        return None


def check_use(path: Path) -> None:
    """Check that a damaged store raises only its documented errors."""
    for action in (
        lambda store: add(store, 0),
        lambda store: store.forget([2]),
        SampleStore.counts,
    ):
        try:
            with SampleStore(path, manifest()) as store:
                action(store)
        except (StoreError, OSError):
            pass


def test_a_truncated_store_is_refused(tmp_path: Path, valid_store: bytes) -> None:
    rng = np.random.default_rng(0)
    total = len(valid_store)
    sizes = [15, 16, 99, 100, 512, 4096, 8191, 8192, 8193, total - 1]
    for size in [*range(1, 512, 30), *sizes, *rng.integers(1, total, 60)]:
        path = tmp_path / f"{size}"
        path.write_bytes(valid_store[:size])
        assert read(path) is None, size


@pytest.mark.parametrize("seed", range(6))
def test_a_flipped_bit_is_detected_or_harmless(
    seed: int, tmp_path: Path, valid_store: bytes
) -> None:
    path = tmp_path / "s"
    path.write_bytes(valid_store)
    expected = read(path)
    rng = np.random.default_rng(seed)
    # half of them in the first page and in the page headers of SQLite
    headers = rng.integers(0, len(valid_store) // 8192, 25) * 8192 + rng.integers(0, 112, 25)
    detections = 0
    for position in [*headers, *rng.integers(0, len(valid_store), 25)]:
        damaged = bytearray(valid_store)
        damaged[position] ^= 1 << int(rng.integers(8))
        path.write_bytes(damaged)
        actual = read(path)
        assert actual in (None, expected), f"byte {position}"
        detections += actual is None
        if detections % 5 == 0:
            check_use(path)
    assert detections > 10


HOSTILE: dict[str, tuple[str, str]] = {
    "features of another size": ("UPDATE features SET data = x'0000' WHERE sample = 3", "sample 3"),
    "huge features": ("UPDATE features SET data = zeroblob(30000000) WHERE sample = 3", "sample 3"),
    "features as text": ("UPDATE features SET data = 'text' WHERE sample = 3", "sample 3"),
    "changed features": ("UPDATE features SET data = zeroblob(48) WHERE sample = 1", "sample 1"),
    "an unknown encoding": ("UPDATE features SET encoding = 'z' WHERE sample = 2", "sample 2"),
    "integers of a float base": ("UPDATE features SET encoding = 'q'", "sample 1"),
    "an encoding of bytes": ("UPDATE features SET encoding = x'ff' WHERE sample = 2", "sample 2"),
    "no features": ("DELETE FROM features WHERE sample = 4", "sample 4"),
    "no sample": ("DELETE FROM sample WHERE id = 4", "sample 4"),
    "many rows": ("UPDATE sample SET feature_rows = 1000000000000 WHERE id = 4", "sample 4"),
    "a changed target": ("UPDATE target SET value = 0.5 WHERE sample = 6", "sample 6"),
    "a missing target": ("DELETE FROM target WHERE sample = 6", "sample 6"),
    "a target of text": ("UPDATE target SET value = 'x' WHERE sample = 6", "sample 6"),
    "an unknown class": ("DELETE FROM class WHERE id = 2", "sample 2"),
    "another name": ("UPDATE class SET name = 'cap' WHERE id = 1", "class 1"),
    "no text": ("UPDATE class SET name = CAST(x'ff' AS TEXT) WHERE id = 1", "text|UTF-8"),
    "a name of bytes": ("UPDATE class SET name = x'ff' WHERE id = 1", "class 1"),
    "held out": ("UPDATE sample SET held_out = 1 WHERE id = 6", "sample 6"),
    "another time": ("UPDATE sample SET added = 1e300 WHERE id = 6", "sample 6"),
    "another source": ("UPDATE sample SET source = x'00' WHERE id = 6", "sample 6"),
    "a changed image": ("UPDATE image SET data = x'00' WHERE sample = 2", "sample 2"),
    "a huge image": ("UPDATE image SET data = zeroblob(68000000) WHERE sample = 2 AND "
                       "kind = 'photo'", "photo of sample 2"),
    "a trigger": ("CREATE TRIGGER t AFTER INSERT ON sample BEGIN DELETE FROM sample; END",
                  "tables"),
    "a view": ("DROP TABLE image; CREATE VIEW image AS WITH RECURSIVE c(x) AS (SELECT 1 UNION "
               "ALL SELECT x + 1 FROM c) SELECT x AS sample FROM c", "tables"),
    "a missing table": ("DROP TABLE target", "tables"),
    "an additional table": ("CREATE TABLE more (a)", "tables"),
    "a computed column": ("ALTER TABLE features ADD COLUMN more AS (zeroblob(900000000))",
                          "tables"),
    "no base": ("DELETE FROM meta", "another base"),
    "a strange version": ("PRAGMA user_version = -1", "version is -1"),
    "a store of another program": ("PRAGMA application_id = 5", "not a sample store"),
}  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_content_is_refused(name: str, tmp_path: Path, valid_store: bytes) -> None:
    path = tmp_path / "s"
    path.write_bytes(valid_store)
    script, message = HOSTILE[name]
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(script)
    with pytest.raises(StoreError, match=message), SampleStore(path, manifest()) as store:
        content(store)
    check_use(path)


def no_sqlite(path: Path) -> None:
    path.write_bytes(b"no SQLite file" * 1000)


def a_pipe(path: Path) -> None:
    os.mkfifo(path)


def in_no_folder(path: Path) -> None:
    path.parent.rmdir()


def write_sample(connection: sqlite3.Connection, number: int, *targets: tuple[int, float]) -> None:
    """Replace the targets of a sample, with a correct checksum."""
    query = "SELECT id, added, source, feature_rows, bytes, held_out FROM sample WHERE id = ?"
    (row,) = connection.execute(query, (number,)).fetchall()
    connection.execute("DELETE FROM target WHERE sample = ?", (number,))
    rows = [(number, *target) for target in targets]
    connection.executemany("INSERT INTO target VALUES (?, ?, ?)", rows)
    update = "UPDATE sample SET checksum = ? WHERE id = ?"
    connection.execute(update, (sample_checksum(row, targets), number))


def write_features(connection: sqlite3.Connection, number: int, value: float) -> None:
    """Replace the features of a sample, with a correct checksum."""
    ((rows,),) = connection.execute("SELECT feature_rows FROM sample WHERE id = ?", (number,))
    row = number, "f", np.full((rows, SIZE), value, "<f4").tobytes()
    connection.execute("DELETE FROM features WHERE sample = ?", (number,))
    connection.execute("INSERT INTO features VALUES (?, ?, ?, ?)", (*row, checksum(*row)))


FAULTY: dict[str, tuple[Callable[[sqlite3.Connection], None], str]] = {
    "NaN": (lambda connection: write_features(connection, 5, np.nan), "sample 5 are not finite"),
    "infinite": (
        lambda connection: write_features(connection, 5, np.inf),
        "sample 5 are not finite",
    ),
    "no target": (lambda connection: write_sample(connection, 4), "sample 4: .*needs a target"),
    "two targets": (lambda connection: write_sample(connection, 4, (1, 1.0), (2, 1.0)), "sample 4"),
    "half a target": (lambda connection: write_sample(connection, 4, (1, 0.5)), "sample 4: "),
    "infinite target": (lambda connection: write_sample(connection, 4, (1, np.inf)), "sample 4: "),
}


@pytest.mark.parametrize("name", FAULTY)
def test_a_store_of_a_faulty_program_is_refused(
    name: str, tmp_path: Path, valid_store: bytes
) -> None:
    """Such a store has correct checksums."""
    path = tmp_path / "s"
    path.write_bytes(valid_store)
    write, message = FAULTY[name]
    with closing(sqlite3.connect(path)) as connection, connection:
        write(connection)
    with SampleStore(path, manifest()) as store:
        with pytest.raises(StoreError, match=message):
            store.select()
        with pytest.raises(StoreError, match=message):
            store.check()
    check_use(path)


@pytest.mark.parametrize("added", [3e11, -1e300, float("inf"), 0.5])
def test_any_time_can_be_read(
    tmp_path: Path, added: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The time is for information only, and the clock of a device may be wrong."""
    monkeypatch.setattr(time, "time", lambda: added)
    with create_store(tmp_path / "s") as store:
        assert {sample.added.year for sample in store.samples()} <= {1, 1970, 9999}
        store.check()


PATHS: dict[str, tuple[Callable[[Path], None], type[Exception]]] = {
    "no SQLite": (no_sqlite, StoreError),
    "a folder": (Path.mkdir, IsADirectoryError),
    "a pipe": (a_pipe, StoreError),
    "in no folder": (in_no_folder, FileNotFoundError),
}


@pytest.mark.parametrize("name", PATHS)
def test_a_path_that_cannot_be_a_store(name: str, tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    prepare, error = PATHS[name]
    prepare(tmp_path / "folder" / "s")
    with pytest.raises(error):
        SampleStore(tmp_path / "folder" / "s", manifest(HALF))


def test_a_file_of_another_program_is_not_changed(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "s")) as connection:
        connection.execute("CREATE TABLE theirs (a)")
    before = (tmp_path / "s").read_bytes()
    with pytest.raises(StoreError, match="not a sample store"):
        SampleStore(tmp_path / "s", manifest())
    assert (tmp_path / "s").read_bytes() == before
