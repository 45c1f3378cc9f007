"""Open an SQLite file with safe settings."""

from __future__ import annotations

import contextlib
import errno
import os
import sqlite3
import time
from pathlib import Path

from ..._files import check_readable
from ...errors import StoreError
from .faults import damaged

__all__ = ["connect", "create_file", "use_log"]

_LOCK_TIMEOUT = 10.0  # seconds to wait for another process
_PAGE_SIZE = 8192  # bytes: a page holds three samples of 1280 float16; 4096 holds one
_MIN_SIZE = 512  # bytes of the smallest SQLite file with content


def create_file(path: Path) -> None:
    """Create the file of a store, unless it exists.

    Raises:
        OSError, StoreError: If the folder does not exist, or the path is not a regular file.
    """
    with contextlib.suppress(FileNotFoundError):
        check_readable(path, StoreError)
    if not path.parent.is_dir():
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(path.parent))
    if path.is_dir():
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    if not path.exists():
        with contextlib.suppress(FileExistsError):  # another process creates it, too
            os.close(os.open(path, os.O_CREAT | os.O_EXCL, 0o600))  # SQLite's log gets its mode
    if 0 < path.stat().st_size < _MIN_SIZE:  # SQLite accepts some as empty
        raise damaged(str(path), f"it has only {path.stat().st_size} bytes")


def connect(path: Path | None) -> sqlite3.Connection:
    """Open a file that `create_file` has checked; None opens a database in memory.

    The caller begins transactions. Any thread may use the connection.

    Raises:
        sqlite3.Error: If the file cannot be opened, or is not an SQLite file.
    """
    if path is None:
        return _open(":memory:")
    try:
        return _open(str(path))
    except sqlite3.OperationalError:
        log = path.with_name(path.name + "-wal")
        if not path.is_file() or os.access(path.parent, os.W_OK) or log.exists():
            raise
    # In a read-only folder SQLite cannot create its log, and no other process can write either.
    return _open(f"{path.absolute().as_uri()}?immutable=1", uri=True)


def use_log(connection: sqlite3.Connection) -> None:
    """Switch a new file to the write-ahead log.

    SQLite does not wait for another process that does the same, so this retries.
    """
    deadline = time.monotonic() + _LOCK_TIMEOUT
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL").fetchall()
            return
        except sqlite3.OperationalError as error:
            if "locked" not in str(error) or time.monotonic() > deadline:
                raise
        time.sleep(0.01)


def _open(name: str, *, uri: bool = False) -> sqlite3.Connection:
    connection = sqlite3.connect(
        name, timeout=_LOCK_TIMEOUT, isolation_level=None, check_same_thread=False, uri=uri
    )
    try:
        for pragma in (
            "trusted_schema=OFF", "cell_size_check=ON", "secure_delete=ON", "synchronous=EXTRA",
            f"page_size={_PAGE_SIZE}",
        ):  # fmt: skip
            connection.execute(f"PRAGMA {pragma}").fetchall()
        connection.execute("SELECT count(*) FROM sqlite_master").fetchall()  # reads the first page
    except BaseException:
        connection.close()
        raise
    return connection
