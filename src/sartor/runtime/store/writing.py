"""Rows of a store as they are written, changed and deleted, each with its checksum."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from .database import Database
from .reading import blob_checksum, class_checksum, sample_checksum

__all__ = ["NewSample", "copy_all", "delete_samples", "delete_targets", "insert_sample",
           "rename_class", "replace_features"]  # fmt: skip

_TABLES = (
    ("sample", "id"),
    ("features", "sample"),
    ("target", "sample"),
    ("picture", "sample"),
)


@dataclass(frozen=True)
class NewSample:
    """A sample that has been checked, as it goes into the tables.

    Attributes:
        encoding, features: of all views, by the codec.
        views: how many there are.
        targets: class name → value.
        source: a hash, or None.
        held_out: it is for measuring only.
        pictures: kind (`thumbnail`, `photo`) → the bytes of the file.
    """

    encoding: str
    features: bytes
    views: int
    targets: Mapping[str, float]
    source: bytes | None
    held_out: bool
    pictures: Mapping[str, bytes]

    @property
    def bytes(self) -> int:
        """Of features and pictures."""
        return len(self.features) + sum(map(len, self.pictures.values()))


def insert_sample(database: Database, new: NewSample) -> int:
    """Write a sample; the caller is in a transaction. Returns its id."""
    number = database.run(
        "INSERT INTO sample (added, source, views, bytes, held_out, checksum) "
        "VALUES (?, ?, ?, ?, ?, 0)",
        time.time(), new.source, new.views, new.bytes, int(new.held_out),
    )  # fmt: skip
    _insert_features(database, number, new.encoding, new.features)
    for kind, data in new.pictures.items():
        checksum = blob_checksum(number, kind, data)
        database.run("INSERT INTO picture VALUES (?, ?, ?, ?)", number, kind, data, checksum)
    for name, value in new.targets.items():
        target = (number, _class(database, name), float(value))
        database.run("INSERT INTO target VALUES (?, ?, ?)", *target)
    _seal(database, number)
    return number


def replace_features(
    database: Database, sample: int, encoding: str, features: bytes, views: int
) -> None:
    """Give a sample other features; the caller is in a transaction."""
    ((old,),) = database.rows("SELECT length(data) FROM features WHERE sample = ?", sample)
    database.run("DELETE FROM features WHERE sample = ?", sample)
    _insert_features(database, sample, encoding, features)
    database.run(
        "UPDATE sample SET views = ?, bytes = bytes + ? WHERE id = ?",
        views, len(features) - old, sample,
    )  # fmt: skip
    _seal(database, sample)


def copy_all(source: Database, database: Database) -> None:
    """Write all samples of another store into an empty one; the caller is in a transaction."""
    for table, column in (("class", "id"), *_TABLES):
        for (number,) in source.rows(f"SELECT DISTINCT {column} FROM {table}"):
            rows = source.rows(f"SELECT * FROM {table} WHERE {column} = ?", number)
            marks = ", ".join("?" * len(rows[0]))
            database.run_each(f"INSERT INTO {table} VALUES ({marks})", rows)


def delete_samples(database: Database, samples: Iterable[int]) -> None:
    """Delete all rows of these samples, and the classes that have none left."""
    rows = [(sample,) for sample in samples]
    for table, column in _TABLES:
        database.run_each(f"DELETE FROM {table} WHERE {column} = ?", rows)
    _delete_empty_classes(database)


def delete_targets(database: Database, label: str) -> None:
    """Let no sample say anything about a class, and delete those that then say nothing."""
    query = "SELECT sample FROM target WHERE class = (SELECT id FROM class WHERE name = ?)"
    samples = [number for (number,) in database.rows(query, label)]
    database.run("DELETE FROM target WHERE class = (SELECT id FROM class WHERE name = ?)", label)
    empty = []
    for number in samples:
        if database.rows("SELECT 1 FROM target WHERE sample = ? LIMIT 1", number):
            _seal(database, number)
        else:
            empty.append(number)
    delete_samples(database, empty)


def rename_class(database: Database, old: str, new: str) -> None:
    """Change a class's name; the caller knows that it is there, and that the new one is not."""
    ((number,),) = database.rows("SELECT id FROM class WHERE name = ?", old)
    checksum = class_checksum(number, new)
    database.run("UPDATE class SET name = ?, checksum = ? WHERE id = ?", new, checksum, number)


def _insert_features(database: Database, sample: int, encoding: str, data: bytes) -> None:
    checksum = blob_checksum(sample, encoding, data)
    database.run("INSERT INTO features VALUES (?, ?, ?, ?)", sample, encoding, data, checksum)


def _class(database: Database, name: str) -> int:
    """The id of a class, which is made if it is not there."""
    found = database.rows("SELECT id FROM class WHERE name = ?", name)
    if found:
        return int(found[0][0])
    number = database.run("INSERT INTO class (name, checksum) VALUES (?, 0)", name)
    checksum = class_checksum(number, name)
    database.run("UPDATE class SET checksum = ? WHERE id = ?", checksum, number)
    return number


def _seal(database: Database, sample: int) -> None:
    """Write the checksum of a sample's row and targets."""
    query = "SELECT id, added, source, views, bytes, held_out FROM sample WHERE id = ?"
    (row,) = database.rows(query, sample)
    query = "SELECT class, value FROM target WHERE sample = ? ORDER BY class"
    checksum = sample_checksum(row, database.rows(query, sample))
    database.run("UPDATE sample SET checksum = ? WHERE id = ?", checksum, sample)


def _delete_empty_classes(database: Database) -> None:
    database.run(
        "DELETE FROM class WHERE NOT EXISTS (SELECT 1 FROM target WHERE target.class = class.id)"
    )
