"""Read files that SQLite may have open in this process.

A process that closes any descriptor of a file gives up all its locks on the file, those of SQLite
too (https://www.sqlite.org/howtocorrupt.html, section 2.2). So the descriptor of an open store
stays open until no part of the process uses the store any more.
"""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Iterator
from pathlib import Path

__all__ = ["OpenFile", "opened", "read_file", "read_start"]

_BINARY = getattr(os, "O_BINARY", 0)  # Windows only
_PART = 1 << 24  # bytes that are read at a time
_LOCK = threading.RLock()
_FILES: dict[tuple[int, int], OpenFile] = {}
"""Device and inode → file that is in use."""


class OpenFile:
    """A file that is open for reading, once for all parts of the process; see `opened`.

    Args:
        path: path of the file.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._number = os.open(path, os.O_RDONLY | _BINARY)
        self.identity = _identity(self.stat())
        self.users = 0
        self._companion: OpenFile | None = None

    def stat(self) -> os.stat_result:
        """Return the status of the file, also if it was deleted."""
        return os.fstat(self._number)

    def read(self, offset: int, size: int) -> bytes:
        """Return at most `size` bytes from a position."""
        with _LOCK:  # the position belongs to the descriptor
            try:
                os.lseek(self._number, offset, os.SEEK_SET)
                return os.read(self._number, size)
            except OSError as error:  # a folder
                error.filename = str(self._path)
                raise

    def companion(self, path: Path) -> OpenFile:
        """Return a file that is beside this one, and stays open as long."""
        with _LOCK:
            if self._companion is None or self._companion.identity != _identity(path.stat()):
                companion = OpenFile(path)
                self._close_companion()
                self._companion = companion
            return self._companion

    def close(self) -> None:
        """Close the file and its companion."""
        self._close_companion()
        os.close(self._number)

    def _close_companion(self) -> None:
        if self._companion is not None:
            self._companion.close()


@contextlib.contextmanager
def opened(path: Path) -> Iterator[OpenFile]:
    """Open a file for a `with` block, in which SQLite opens and closes it.

    Raises:
        OSError: If it cannot be opened.
    """
    with _LOCK:
        file = _FILES.get(_identity(path.stat()))
        if file is None:
            file = OpenFile(path)
            _FILES[file.identity] = file
        file.users += 1
    try:
        yield file
    finally:
        with _LOCK:
            file.users -= 1
            if file.users == 0:
                del _FILES[file.identity]
                file.close()


def read_start(path: Path, size: int) -> bytes:
    """Return the first bytes of a file; it may be a store that is open.

    Raises:
        OSError: If it cannot be read.
    """
    with opened(path) as file:
        return file.read(0, size)


def read_file(path: Path) -> bytes:
    """Return the content of a file; it may be a store that is open.

    Raises:
        OSError: If it cannot be read.
    """
    parts, size = [], 0
    with opened(path) as file:
        while part := file.read(size, _PART):
            parts.append(part)
            size += len(part)
    return b"".join(parts)


def _identity(status: os.stat_result) -> tuple[int, int]:
    return status.st_dev, status.st_ino
