"""The tables of a store, how they came to be, and opening what an older Sartor has written."""

from __future__ import annotations

import sqlite3

from ...errors import StoreError
from .faults import damaged

__all__ = ["APPLICATION_ID", "VERSION", "check_schema", "upgrade", "version_of"]

APPLICATION_ID = int.from_bytes(b"Srtr", "big")
"""In the file's header: `file` and other tools can tell a store from another SQLite file."""

_STEPS = (
    # 1: features and what they stand for
    """
    CREATE TABLE store (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
    CREATE TABLE class (
        id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL UNIQUE, checksum INTEGER NOT NULL
    );
    CREATE TABLE sample (
        id INTEGER PRIMARY KEY AUTOINCREMENT, added REAL NOT NULL, source BLOB,
        views INTEGER NOT NULL, bytes INTEGER NOT NULL, checksum INTEGER NOT NULL
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
    # 2: samples for measuring only, and pictures
    """
    ALTER TABLE sample ADD COLUMN held_out INTEGER NOT NULL DEFAULT 0;
    CREATE TABLE picture (
        sample INTEGER NOT NULL, kind TEXT NOT NULL, data BLOB NOT NULL, checksum INTEGER NOT NULL,
        PRIMARY KEY (sample, kind)
    );
    """,
)

VERSION = len(_STEPS)
"""Of the tables that this Sartor writes; `user_version` in the file."""

_OBJECTS = "SELECT type, name, tbl_name FROM sqlite_master WHERE name NOT LIKE 'sqlite_stat%'"


def version_of(connection: sqlite3.Connection, path: str) -> int:
    """The version of a store's tables; 0 when it is new.

    Raises:
        StoreError: the file is another program's, or of a newer Sartor.
    """
    (application,) = connection.execute("PRAGMA application_id").fetchone()
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if _is_new(connection):
        return 0
    if application != APPLICATION_ID:
        raise StoreError(
            f"{path} is an SQLite file, but not a sample store of Sartor. Give one that "
            "SampleStore has made, or the path of a new one."
        )
    if version > VERSION:
        raise StoreError(
            f"{path} is a store of version {version}; this Sartor knows version {VERSION}. "
            "Update Sartor."
        )
    if version < 1:
        raise damaged(path, f"it says that its version is {version}")
    return int(version)


def _is_new(connection: sqlite3.Connection) -> bool:
    """Whether there is nothing in the file yet."""
    header = [connection.execute(f"PRAGMA {name}").fetchone() for name in
              ("application_id", "user_version")]  # fmt: skip
    return header == [(0,), (0,)] and not connection.execute(_OBJECTS).fetchall()


def upgrade(connection: sqlite3.Connection, version: int) -> None:
    """Bring the tables from this version to the present one; the caller holds a transaction."""
    for step in _STEPS[version:]:
        _run(connection, step)
    connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    connection.execute(f"PRAGMA user_version = {VERSION}")


def check_schema(connection: sqlite3.Connection, version: int, path: str) -> None:
    """Refuse tables other than those of this version, and any view or trigger.

    Raises:
        StoreError: they differ.
    """
    model = sqlite3.connect(":memory:", isolation_level=None)
    try:
        for step in _STEPS[:version]:
            _run(model, step)
        if _description(connection) != _description(model):
            raise damaged(path, "its tables are not those of a store")
    finally:
        model.close()


def _run(connection: sqlite3.Connection, script: str) -> None:
    """Statement by statement: `executescript` would end the caller's transaction."""
    for statement in script.split(";"):
        if statement.strip():
            connection.execute(statement)


def _description(connection: sqlite3.Connection) -> list[tuple[object, ...]]:
    """All that is there: the tables with their columns, and the indices."""
    objects = sorted(connection.execute(_OBJECTS).fetchall(), key=repr)
    tables = [str(name) for kind, name, _ in objects if kind == "table"]
    columns = [
        (table, *column)
        for table in tables
        for column in connection.execute("SELECT * FROM pragma_table_xinfo(?)", (table,)).fetchall()
    ]
    return [*objects, *columns]
