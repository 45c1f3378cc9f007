"""The place of an open store in the file system: notice that the file is no longer there."""

from __future__ import annotations

import contextlib
import sqlite3
from pathlib import Path

from ...errors import StoreError

__all__ = ["Place"]


class Place:
    """The path of an open store, and the file that was there when it was opened.

    SQLite continues to write into a file that was deleted, moved or replaced, and into a log that
    was deleted: the changes are lost. So each transaction compares device and inode of the file, of
    its log and of the index of the log, which takes a few microseconds.

    Args:
        path: path of the store; it is open. None if it is in memory.
    """

    def __init__(self, path: Path | None) -> None:
        self._files = {}
        if path is not None:
            paths = [path.with_name(path.name + end) for end in ("", "-wal", "-shm")]
            self._files = {each: _identity(each) for each in paths}

    def check(self, connection: sqlite3.Connection) -> None:
        """Raise StoreError if the file or its log was deleted, moved or replaced."""
        for path, identity in self._files.items():
            present = _identity(path)
            if identity is None or present == identity:
                continue
            if present is None:  # nobody else uses the log: the file, if it was moved, gets it all
                with contextlib.suppress(sqlite3.Error):
                    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
            change = "deleted or moved" if present is None else "replaced"
            raise StoreError(
                f"{path} was {change} while it was open: nothing can be stored. Put the file back, "
                "or open the model again; export_project saves the samples that are still in memory"
            )


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_dev, status.st_ino
