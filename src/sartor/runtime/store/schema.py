"""The tables of a store, by version, and the upgrade of older stores."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from ...errors import StoreError
from .faults import damaged

__all__ = ["APPLICATION_ID", "VERSION", "check_pages", "check_schema", "upgrade", "version_of"]

APPLICATION_ID = int.from_bytes(b"Srtr", "big")
"""Application ID in the header of the file, which identifies a store to `file` and other tools."""

_STEPS = (
    # 1: features and targets
    """
    CREATE TABLE store (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
    CREATE TABLE class (
        id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL UNIQUE, checksum INTEGER NOT NULL
    );
    CREATE TABLE sample (
        id INTEGER PRIMARY KEY AUTOINCREMENT, added REAL NOT NULL, source BLOB,
        feature_rows INTEGER NOT NULL, bytes INTEGER NOT NULL, checksum INTEGER NOT NULL
    );
    CREATE INDEX sample_source ON sample (source) WHERE source IS NOT NULL;
    CREATE TABLE features (
        sample INTEGER PRIMARY KEY, encoding TEXT NOT NULL, data BLOB NOT NULL,
        checksum INTEGER NOT NULL
    );
    CREATE TABLE target (
        sample INTEGER NOT NULL, class INTEGER NOT NULL, value REAL NOT NULL,
        PRIMARY KEY (sample, class)
    ) WITHOUT ROWID;
    CREATE INDEX target_class ON target (class, value);
    """,
    # 2: held-out samples, and images
    """
    ALTER TABLE sample ADD COLUMN held_out INTEGER NOT NULL DEFAULT 0;
    CREATE TABLE image (
        sample INTEGER NOT NULL, kind TEXT NOT NULL, data BLOB NOT NULL, checksum INTEGER NOT NULL,
        PRIMARY KEY (sample, kind)
    );
    """,
)

VERSION = len(_STEPS)
"""Version of the tables that this Sartor writes; `user_version` in the file."""

_CHECK_LIMIT = 64 << 20  # bytes: checking them takes 0.1 s
_OBJECTS = "SELECT type, name, tbl_name FROM sqlite_master WHERE name NOT LIKE 'sqlite_stat%'"


def version_of(connection: sqlite3.Connection, path: str) -> int:
    """Return the version of the tables; 0 for a new store. The caller holds a transaction.

    Raises:
        StoreError: If the file belongs to another program, or to a newer Sartor.
    """
    (application,) = connection.execute("PRAGMA application_id").fetchone()
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if _is_new(connection):
        return 0
    if application != APPLICATION_ID:
        raise StoreError(
            f"{path} is an SQLite file, but not a sample store of Sartor. Pass the path of a "
            "sample store, or of a new file."
        )
    if version > VERSION:
        raise StoreError(
            f"{path} is a store of version {version}; this Sartor supports version {VERSION}. "
            "Update Sartor."
        )
    if version < 1:
        raise damaged(path, f"its version is {version}")
    return int(version)


def _is_new(connection: sqlite3.Connection) -> bool:
    """Return whether the file is empty."""
    header = [connection.execute(f"PRAGMA {name}").fetchone() for name in
              ("application_id", "user_version")]  # fmt: skip
    return header == [(0,), (0,)] and not connection.execute(_OBJECTS).fetchall()


def upgrade(connection: sqlite3.Connection, version: int) -> None:
    """Upgrade the tables from `version` to VERSION; the caller holds a transaction."""
    for step in _STEPS[version:]:
        _run(connection, step)
    connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    connection.execute(f"PRAGMA user_version = {VERSION}")


def check_pages(connection: sqlite3.Connection, path: Path) -> None:
    """Raise StoreError if the pages of a file are damaged; a large file is not checked."""
    if path.stat().st_size > _CHECK_LIMIT:
        return
    ((verdict, *_), *_) = connection.execute("PRAGMA quick_check(1)").fetchall()
    if verdict != "ok":
        raise damaged(str(path), str(verdict).replace("\n", " "))


def check_schema(connection: sqlite3.Connection, version: int, path: str) -> None:
    """Compare the tables with those of a version; views and triggers are refused.

    Raises:
        StoreError: If they differ.
    """
    expected = sqlite3.connect(":memory:", isolation_level=None)
    try:
        for step in _STEPS[:version]:
            _run(expected, step)
        if _description(connection) != _description(expected):
            raise damaged(path, "its tables are not the tables of a store")
    finally:
        expected.close()


def _run(connection: sqlite3.Connection, script: str) -> None:
    """Run a script by statements: `executescript` would end the transaction of the caller."""
    for statement in script.split(";"):
        if statement.strip():
            connection.execute(statement)


def _description(connection: sqlite3.Connection) -> list[tuple[object, ...]]:
    """Return a description of all tables, columns and indices."""
    objects = sorted(connection.execute(_OBJECTS).fetchall(), key=repr)
    tables = [str(name) for kind, name, _ in objects if kind == "table"]
    columns = [
        (table, *column)
        for table in tables
        for column in connection.execute("SELECT * FROM pragma_table_xinfo(?)", (table,)).fetchall()
    ]
    return [*objects, *columns]
