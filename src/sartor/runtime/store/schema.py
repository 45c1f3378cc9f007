"""The tables of a store: create and check them."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from ...contract.sample_store import STORE_APPLICATION_ID, STORE_SCHEMA, STORE_VERSION
from ...errors import StoreError
from .faults import damaged

__all__ = ["check_pages", "check_schema", "create_schema", "is_new"]

_CHECK_LIMIT = 64 << 20  # bytes: checking them takes 0.3 s
_UPDATE = "Update Sartor."
_ADD_AGAIN = "Pass the path of a new file, and add the samples again."
_OBJECTS = "SELECT type, name, tbl_name FROM sqlite_master WHERE name NOT LIKE 'sqlite_stat%'"


def is_new(connection: sqlite3.Connection, path: str) -> bool:
    """Return whether a file is empty, not yet a store. The caller holds a transaction.

    Raises:
        StoreError: If the file belongs to another program, or has another version.
    """
    (application,) = connection.execute("PRAGMA application_id").fetchone()
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if (application, version) == (0, 0) and not connection.execute(_OBJECTS).fetchall():
        return True
    if application != STORE_APPLICATION_ID:
        raise StoreError(
            f"{path} is an SQLite file, but not a sample store of Sartor. Pass the path of a "
            "sample store, or of a new file."
        )
    if version < 1:
        raise damaged(path, f"its version is {version}")
    if version != STORE_VERSION:
        action = _UPDATE if version > STORE_VERSION else _ADD_AGAIN
        raise StoreError(
            f"{path} is a store of version {version}; this Sartor supports version "
            f"{STORE_VERSION}. {action}"
        )
    return False


def create_schema(connection: sqlite3.Connection) -> None:
    """Create the tables; the caller holds a transaction."""
    for statement in STORE_SCHEMA:
        connection.execute(statement)
    connection.execute(f"PRAGMA application_id = {STORE_APPLICATION_ID}")
    connection.execute(f"PRAGMA user_version = {STORE_VERSION}")


def check_pages(connection: sqlite3.Connection, path: Path) -> None:
    """Raise StoreError if the pages of a file are damaged; a large file is not checked."""
    if path.stat().st_size > _CHECK_LIMIT:
        return
    ((verdict, *_), *_) = connection.execute("PRAGMA integrity_check(1)").fetchall()
    if verdict != "ok":
        raise damaged(str(path), str(verdict).replace("\n", " "))


def check_schema(connection: sqlite3.Connection, path: str) -> None:
    """Compare the tables with those of a new store; views and triggers are refused.

    Raises:
        StoreError: If they differ.
    """
    expected = sqlite3.connect(":memory:", isolation_level=None)
    try:
        create_schema(expected)
        if _description(connection) != _description(expected):
            raise damaged(path, "its tables are not the tables of a store")
    finally:
        expected.close()


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
