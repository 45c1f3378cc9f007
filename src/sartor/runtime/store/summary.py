"""A summary of a sample store, read without the model and without changing the file."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ..._descriptors import opened
from ...contract.sample_store import STORE_BASE, STORE_VERSION
from ...errors import StoreError
from .faults import damaged, translated
from .schema import check_pages, check_schema, is_new

__all__ = ["StoreSummary", "summarize"]


@dataclass(frozen=True)
class StoreSummary:
    """The content of a sample store in numbers.

    Attributes:
        version: version of the tables.
        base: fingerprint of the base that computed the features.
        samples: number of samples.
        held_out: number of held-out samples.
        rows: number of rows of features: samples and their augmentations.
        classes: class name → number of samples with a target of the class, in the order of their
            first samples.
        feature_bytes: size of all features, in bytes.
        photos: number of stored photos.
        thumbnails: number of thumbnails.
        image_bytes: size of all photos and thumbnails, in bytes.
    """

    version: int
    base: str
    samples: int
    held_out: int
    rows: int
    classes: Mapping[str, int]
    feature_bytes: int
    photos: int
    thumbnails: int
    image_bytes: int


def summarize(path: Path) -> StoreSummary:
    """Summarize a store; another process may have it open.

    Raises:
        StoreError: If it is not a store, damaged, or of another version.
        OSError: If it cannot be opened.
    """
    name = str(path)
    with opened(path), translated(name):
        connection = sqlite3.connect(_address(path), uri=True, isolation_level=None)
        try:
            connection.execute("PRAGMA trusted_schema=OFF")
            connection.execute("BEGIN")
            return _read(connection, path)
        except (TypeError, ValueError) as error:
            raise damaged(name, f"it contains an invalid number: {error}") from error
        finally:
            connection.close()


def _address(path: Path) -> str:
    """Return a read-only address; without a log, SQLite creates no files beside the store."""
    return f"{path.absolute().as_uri()}?{'mode=ro' if _has_log(path) else 'immutable=1'}"


def _has_log(path: Path) -> bool:
    return path.with_name(path.name + "-wal").exists()


def _read(connection: sqlite3.Connection, path: Path) -> StoreSummary:
    name = str(path)
    if is_new(connection, name):
        raise StoreError(f"{name} is empty: add samples with add_sample first")
    size, pages = path.stat().st_size, _row(connection, "PRAGMA page_count")[0]
    if not _has_log(path) and size < pages * _row(connection, "PRAGMA page_size")[0]:
        raise damaged(name, f"it ends after {size} bytes, within its {pages} pages")
    check_pages(connection, path)
    check_schema(connection, name)
    base = connection.execute("SELECT value FROM meta WHERE key = ?", (STORE_BASE,)).fetchone()
    classes = connection.execute(
        "SELECT name, count(target.class) FROM class LEFT JOIN target ON target.class = class.id "
        "GROUP BY class.id ORDER BY class.id"
    ).fetchall()
    samples, rows = _row(connection, "SELECT count(*), coalesce(sum(feature_rows), 0) FROM sample")
    (features,) = _row(connection, "SELECT coalesce(sum(length(data)), 0) FROM features")
    (held_out,) = _row(connection, "SELECT count(*) FROM sample WHERE held_out")
    photos, thumbnails, image_bytes = _row(
        connection,
        "SELECT coalesce(sum(kind = 'photo'), 0), coalesce(sum(kind = 'thumbnail'), 0), "
        "coalesce(sum(length(data)), 0) FROM image",
    )
    return StoreSummary(
        version=STORE_VERSION,
        base=str(base[0]) if base else "",
        samples=samples,
        held_out=held_out,
        rows=rows,
        classes={str(label): int(count) for label, count in classes},
        feature_bytes=features,
        photos=photos,
        thumbnails=thumbnails,
        image_bytes=image_bytes,
    )


def _row(connection: sqlite3.Connection, query: str) -> list[int]:
    return [int(value) for value in connection.execute(query).fetchone()]
