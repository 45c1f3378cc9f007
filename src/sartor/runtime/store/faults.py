"""Errors of SQLite as errors of Sartor: no `sqlite3.Error` leaves the store."""

from __future__ import annotations

import errno
import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ...errors import StoreError

__all__ = ["damaged", "translated"]

# Python 3.10 has no `sqlite_errorcode`; the messages are fixed strings of SQLite.
_SYSTEM = (
    ("disk is full", errno.ENOSPC),
    ("readonly database", errno.EROFS),
    ("unable to open database", errno.EACCES),
    ("disk I/O error", errno.EIO),
)
_INDEX_SIZE = 32 << 10  # bytes of the -shm file, which SQLite needs to open a store
_RESTORE = "Restore it from a backup, or delete it and add the samples again."


def damaged(path: str, reason: str) -> StoreError:
    """Return the error of a damaged store."""
    return StoreError(f"{path} is damaged: {reason}. {_RESTORE}")


@contextmanager
def translated(path: str) -> Iterator[None]:
    """Raise OSError or StoreError instead of an error of SQLite.

    Args:
        path: path of the store, for the message.
    """
    try:
        yield
    except sqlite3.Error as error:
        raise _translate(path, error) from error


def _translate(path: str, error: sqlite3.Error) -> Exception:
    text = str(error)
    for words, number in _SYSTEM:
        if words in text:
            if number == errno.EIO and _is_full(
                path
            ):  # SQLite reports a full disk as I/O error here
                number = errno.ENOSPC
            return OSError(number, f"{os.strerror(number)} ({text})", path)
    if "locked" in text:
        return StoreError(
            f"{path} is locked by another program, which did not release it in time. "
            "Try again later."
        )
    if "closed database" in text:
        return StoreError(f"{path} is closed: open it again")
    return damaged(path, text)


def _is_full(path: str) -> bool:
    try:
        return shutil.disk_usage(Path(path).absolute().parent).free < _INDEX_SIZE
    except OSError:
        return False
