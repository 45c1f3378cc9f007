"""Write, change and delete rows of the tables, with their checksums."""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from ...contract.sample_store import STORE_APP, checksum
from .database import Database
from .reading import read_app_data, sample_checksum

__all__ = [
    "NewSample",
    "copy_all",
    "delete_samples",
    "delete_targets",
    "insert_sample",
    "new_key",
    "rename_class",
    "replace_features",
    "write_app_data",
    "write_removed",
]

_TABLES = (
    ("sample", "id"),
    ("features", "sample"),
    ("target", "sample"),
    ("image", "sample"),
)


@dataclass(frozen=True)
class NewSample:
    """A valid sample that is to be stored.

    Attributes:
        encoding: encoding of `features`.
        features: encoded features of the sample and of its augmentations.
        rows: number of rows of features.
        targets: class name → target.
        source: hash that identifies the sample, or None.
        held_out: whether the sample measures and does not train.
        images: kind (`thumbnail`, `photo`) → image file.
    """

    encoding: str
    features: bytes
    rows: int
    targets: Mapping[str, float]
    source: bytes | None
    held_out: bool
    images: Mapping[str, bytes]

    @property
    def bytes(self) -> int:
        """Size of features and images."""
        return len(self.features) + sum(map(len, self.images.values()))


def new_key() -> str:
    """Return the key of a new class, which no other class has."""
    return secrets.token_hex(16)


def insert_sample(database: Database, new: NewSample, keys: Mapping[str, str]) -> int:
    """Write a sample and return its ID; the caller holds a transaction.

    Args:
        database: database of the store.
        new: the sample.
        keys: class name → key. A new class without one gets a new key.
    """
    number = database.run(
        "INSERT INTO sample (added, source, feature_rows, bytes, held_out, checksum) "
        "VALUES (?, ?, ?, ?, ?, 0)",
        time.time(), new.source, new.rows, new.bytes, int(new.held_out),
    )  # fmt: skip
    _insert_features(database, number, new.encoding, new.features)
    for kind, data in new.images.items():
        image = (number, kind, data)
        database.run("INSERT INTO image VALUES (?, ?, ?, ?)", *image, checksum(*image))
    for name, value in new.targets.items():
        target = (number, _class(database, name, keys.get(name)), float(value))
        database.run("INSERT INTO target VALUES (?, ?, ?)", *target)
    _update_checksum(database, number)
    return number


def replace_features(
    database: Database, sample: int, encoding: str, features: bytes, rows: int
) -> None:
    """Replace the features of a sample; the caller holds a transaction."""
    ((old,),) = database.rows("SELECT length(data) FROM features WHERE sample = ?", sample)
    database.run("DELETE FROM features WHERE sample = ?", sample)
    _insert_features(database, sample, encoding, features)
    database.run(
        "UPDATE sample SET feature_rows = ?, bytes = bytes + ? WHERE id = ?",
        rows, len(features) - old, sample,
    )  # fmt: skip
    _update_checksum(database, sample)


def write_app_data(database: Database, key: str, text: str | None) -> None:
    """Store a text of the app, or delete it; the caller holds a transaction."""
    database.run("DELETE FROM meta WHERE key = ?", STORE_APP + key)
    if text is not None:
        database.run("INSERT INTO meta VALUES (?, ?)", STORE_APP + key, text)


def copy_all(source: Database, database: Database) -> None:
    """Copy all samples of another store into an empty one, and replace the data of the app.

    The caller holds a transaction.
    """
    database.run("DELETE FROM meta WHERE substr(key, 1, ?) = ?", len(STORE_APP), STORE_APP)
    for key, text in read_app_data(source, "").items():
        write_app_data(database, key, text)
    for table, column in (("class", "id"), *_TABLES):
        for (number,) in source.rows(f"SELECT DISTINCT {column} FROM {table}"):
            rows = source.rows(f"SELECT * FROM {table} WHERE {column} = ?", number)
            values = ", ".join("?" * len(rows[0]))
            database.run_each(f"INSERT INTO {table} VALUES ({values})", rows)
    write_removed(database, [key for (key,) in source.rows("SELECT key FROM removed_class")])
    database.run("DELETE FROM removed_class WHERE key IN (SELECT key FROM class)")


def delete_samples(database: Database, samples: Iterable[int], *, evicted: bool = False) -> None:
    """Delete samples, and the classes without samples.

    The model keeps a class whose last sample is evicted; otherwise the class is removed from it.
    """
    rows = [(sample,) for sample in samples]
    for table, column in _TABLES:
        database.run_each(f"DELETE FROM {table} WHERE {column} = ?", rows)
    _delete_empty_classes(database, evicted)


def delete_targets(database: Database, label: str) -> None:
    """Delete the targets of a class, and the samples without other targets."""
    query = "SELECT sample FROM target WHERE class = (SELECT id FROM class WHERE name = ?)"
    samples = [number for (number,) in database.rows(query, label)]
    database.run("DELETE FROM target WHERE class = (SELECT id FROM class WHERE name = ?)", label)
    empty = []
    for number in samples:
        if database.rows("SELECT 1 FROM target WHERE sample = ? LIMIT 1", number):
            _update_checksum(database, number)
        else:
            empty.append(number)
    delete_samples(database, empty)


def rename_class(database: Database, old: str, new: str) -> None:
    """Rename a class; the caller has checked both names."""
    ((number, key),) = database.rows("SELECT id, key FROM class WHERE name = ?", old)
    statement = "UPDATE class SET name = ?, checksum = ? WHERE id = ?"
    database.run(statement, new, checksum(number, key, new), number)


def write_removed(database: Database, keys: Iterable[str]) -> None:
    """Record that classes are removed, so that an older checkpoint does not bring them back."""
    database.run_each("INSERT OR IGNORE INTO removed_class VALUES (?)", [(key,) for key in keys])


def _insert_features(database: Database, sample: int, encoding: str, data: bytes) -> None:
    row = (sample, encoding, data)
    database.run("INSERT INTO features VALUES (?, ?, ?, ?)", *row, checksum(*row))


def _class(database: Database, name: str, key: str | None) -> int:
    """Return the ID of a class; a new class is written, with this key or a new one."""
    result = database.rows("SELECT id FROM class WHERE name = ?", name)
    if result:
        return int(result[0][0])
    key = key or new_key()
    number = database.run("INSERT INTO class (key, name, checksum) VALUES (?, ?, 0)", key, name)
    statement = "UPDATE class SET checksum = ? WHERE id = ?"
    database.run(statement, checksum(number, key, name), number)
    return number


def _update_checksum(database: Database, sample: int) -> None:
    """Write the checksum of a sample's row and targets."""
    query = "SELECT id, added, source, feature_rows, bytes, held_out FROM sample WHERE id = ?"
    (row,) = database.rows(query, sample)
    query = "SELECT class, value FROM target WHERE sample = ? ORDER BY class"
    new = sample_checksum(row, database.rows(query, sample))
    database.run("UPDATE sample SET checksum = ? WHERE id = ?", new, sample)


def _delete_empty_classes(database: Database, evicted: bool) -> None:
    empty = "WHERE NOT EXISTS (SELECT 1 FROM target WHERE target.class = class.id)"
    if not evicted:
        write_removed(database, [key for (key,) in database.rows(f"SELECT key FROM class {empty}")])
    database.run(f"DELETE FROM class {empty}")
