"""The place of an open store in the file system: notice that another program changed the file."""

from __future__ import annotations

import contextlib
import os
import sqlite3
from pathlib import Path

from ..._descriptors import OpenFile
from ...errors import StoreError
from .content import Content

__all__ = ["Place"]


class Place:
    """The path of an open store, and the file that was there when it was opened.

    SQLite continues to write into a file that was deleted, moved or replaced, and into a log that
    was deleted: the changes are lost. If the content was overwritten, SQLite mixes the old pages
    with the new ones. So each transaction compares device and inode of the file, of its log and of
    the index of the log, and whether the content has changed without SQLite. That takes a few
    microseconds.

    Args:
        path: path of the store; SQLite has it open. None if it is in memory.
        file: the file at the path. None if it is in memory.
    """

    def __init__(self, path: Path | None, file: OpenFile | None = None) -> None:
        self._files: dict[Path, tuple[int, int] | None] = {}
        self._content: Content | None = None
        self._is_overwritten = False
        if path is None or file is None:
            return
        self._path = path
        self._log, index = (path.with_name(path.name + end) for end in ("-wal", "-shm"))
        self._files = {each: _identity(each) for each in (path, self._log, index)}
        with contextlib.suppress(FileNotFoundError):  # a store that can only be read
            self._content = Content(file, index)

    def check(self, connection: sqlite3.Connection) -> None:
        """Raise StoreError if the file or its log was deleted, moved, replaced or overwritten."""
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
        self.check_content()

    def check_content(self) -> None:
        """Raise StoreError if the content was overwritten."""
        if self._content is None:
            return
        if not self._is_overwritten and self._content.is_overwritten():
            self._is_overwritten = True
            # SQLite would copy the pages of the old content from the log into the new content.
            with contextlib.suppress(OSError):
                os.truncate(self._log, 0)
        if self._is_overwritten:
            raise StoreError(
                f"{self._path} was overwritten by another program while it was open: nothing can "
                "be stored, and its samples are those of the new content. Open the model again"
            )


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_dev, status.st_ino
