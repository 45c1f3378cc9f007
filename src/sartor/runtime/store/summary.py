"""What is in a sample store, told without changing it, and without the model."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ...errors import StoreError
from .faults import damaged, translated
from .schema import check_schema, version_of

__all__ = ["StoreSummary", "summarize"]

_CHECKED = 64 << 20  # bytes up to which the whole file is checked
_WITH_PICTURES = 2  # the schema version that brought them, and samples that are held out


@dataclass(frozen=True)
class StoreSummary:
    """What is in a sample store.

    Attributes:
        version: of its tables.
        base: the fingerprint of the base that the features are of.
        samples: how many there are.
        held_out: how many of them are for measuring only.
        views: rows of features: the samples, and what they were augmented to.
        classes: name → how many samples say something about it, in the order in which the store
            first met them.
        feature_bytes: of all features.
        photos: how many samples have the photo kept.
        thumbnails: how many have a thumbnail.
        picture_bytes: of all photos and thumbnails.
    """

    version: int
    base: str
    samples: int
    held_out: int
    views: int
    classes: Mapping[str, int]
    feature_bytes: int
    photos: int
    thumbnails: int
    picture_bytes: int


def summarize(path: Path) -> StoreSummary:
    """Count what is in a store; another process may have it open.

    Raises:
        StoreError: it is no store, damaged, or of a newer Sartor.
        OSError: it cannot be opened.
    """
    with path.open("rb"):
        pass  # the system's own words where it is not there, or may not be read
    name = str(path)
    with translated(name):
        connection = sqlite3.connect(_address(path), uri=True, isolation_level=None)
        try:
            connection.execute("PRAGMA trusted_schema=OFF")
            connection.execute("BEGIN")
            return _read(connection, path)
        except (TypeError, ValueError) as error:
            raise damaged(name, f"a number in it is none: {error}") from error
        finally:
            connection.close()


def _address(path: Path) -> str:
    """Read-only; where no process has left a log, SQLite does not even make files beside it."""
    return f"{path.absolute().as_uri()}?{'mode=ro' if _has_log(path) else 'immutable=1'}"


def _has_log(path: Path) -> bool:
    return path.with_name(path.name + "-wal").exists()


def _read(connection: sqlite3.Connection, path: Path) -> StoreSummary:
    name = str(path)
    version = version_of(connection, name)
    if not version:
        raise StoreError(f"{name} is empty: nothing has been kept in it yet")
    size, pages = path.stat().st_size, _row(connection, "PRAGMA page_count")[0]
    if not _has_log(path) and size < pages * _row(connection, "PRAGMA page_size")[0]:
        raise damaged(name, f"it ends after {size} bytes, within its {pages} pages")
    if size <= _CHECKED:
        ((verdict, *_), *_) = connection.execute("PRAGMA quick_check(1)").fetchall()
        if verdict != "ok":
            raise damaged(name, str(verdict).replace("\n", " "))
    check_schema(connection, version, name)
    base = connection.execute("SELECT value FROM store WHERE key = 'base'").fetchone()
    classes = connection.execute(
        "SELECT name, count(target.class) FROM class LEFT JOIN target ON target.class = class.id "
        "GROUP BY class.id ORDER BY class.id"
    ).fetchall()
    samples, views = _row(connection, "SELECT count(*), coalesce(sum(views), 0) FROM sample")
    (features,) = _row(connection, "SELECT coalesce(sum(length(data)), 0) FROM features")
    held_out = photos = thumbnails = pictures = 0
    if version >= _WITH_PICTURES:
        (held_out,) = _row(connection, "SELECT count(*) FROM sample WHERE held_out")
        photos, thumbnails, pictures = _row(
            connection,
            "SELECT coalesce(sum(kind = 'photo'), 0), coalesce(sum(kind = 'thumbnail'), 0), "
            "coalesce(sum(length(data)), 0) FROM picture",
        )
    return StoreSummary(
        version=version,
        base=str(base[0]) if base else "",
        samples=samples,
        held_out=held_out,
        views=views,
        classes={str(label): int(count) for label, count in classes},
        feature_bytes=features,
        photos=photos,
        thumbnails=thumbnails,
        picture_bytes=pictures,
    )


def _row(connection: sqlite3.Connection, query: str) -> list[int]:
    return [int(value) for value in connection.execute(query).fetchone()]
