"""Opening an SQLite file with settings that lose nothing and trust nothing."""

from __future__ import annotations

import errno
import os
import sqlite3
import time
from pathlib import Path

from ...errors import StoreError
from .faults import damaged

__all__ = ["connect", "use_log"]

_PATIENCE = 10.0  # seconds to wait for another process
_PAGE = 8192  # bytes: three samples of 1280 float16 fit in; in 4096 there is room for one
_LEAST = 512  # bytes of an SQLite file that is not empty


def connect(path: Path | None) -> sqlite3.Connection:
    """Open a file, or make it; None keeps everything in memory.

    Transactions are the caller's: none begins by itself. Any thread may use the connection.

    Raises:
        OSError, StoreError: there is no such folder, or the path is not that of a file.
        sqlite3.Error: it cannot be opened, or is not an SQLite file.
    """
    if path is None:
        return _prepared(":memory:")
    if not path.parent.is_dir():
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(path.parent))
    if path.is_dir():
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    if path.exists() and not path.is_file():
        raise StoreError(f"{path} is not a file that a store can be kept in")
    if path.exists() and 0 < path.stat().st_size < _LEAST:  # SQLite takes some of these for empty
        raise damaged(str(path), f"it has only {path.stat().st_size} bytes")
    try:
        return _prepared(str(path))
    except sqlite3.OperationalError:
        log = path.with_name(path.name + "-wal")
        if not path.is_file() or os.access(path.parent, os.W_OK) or log.exists():
            raise
    # In a folder that is read-only SQLite cannot have its log, and nobody else can write either.
    return _prepared(f"{path.absolute().as_uri()}?immutable=1", uri=True)


def use_log(connection: sqlite3.Connection) -> None:
    """Switch a new file to the write-ahead log.

    SQLite does not wait for another process that is doing the same: so it is tried again.
    """
    deadline = time.monotonic() + _PATIENCE
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL").fetchall()
            return
        except sqlite3.OperationalError as error:
            if "locked" not in str(error) or time.monotonic() > deadline:
                raise
        time.sleep(0.01)


def _prepared(name: str, *, uri: bool = False) -> sqlite3.Connection:
    connection = sqlite3.connect(
        name, timeout=_PATIENCE, isolation_level=None, check_same_thread=False, uri=uri
    )
    try:
        for pragma in (
            "trusted_schema=OFF", "cell_size_check=ON", "secure_delete=ON", "synchronous=EXTRA",
            f"page_size={_PAGE}",
        ):  # fmt: skip
            connection.execute(f"PRAGMA {pragma}").fetchall()
        connection.execute("SELECT count(*) FROM sqlite_master").fetchall()  # reads the first page
    except BaseException:
        connection.close()
        raise
    return connection
