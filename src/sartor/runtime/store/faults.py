"""What SQLite complains of, in the words of Sartor: no `sqlite3.Error` leaves the store."""

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
_INDEX = 32 << 10  # bytes that SQLite needs beside a store to open it
_RESTORE = "Restore it from a backup, or delete it and add the samples again."


def damaged(path: str, what: str) -> StoreError:
    """The error of a store that is not as Sartor left it."""
    return StoreError(f"{path} is damaged: {what}. {_RESTORE}")


@contextmanager
def translated(path: str) -> Iterator[None]:
    """Raise OSError or StoreError in the place of what SQLite raises.

    Args:
        path: the store's, for the message.
    """
    try:
        yield
    except sqlite3.Error as error:
        raise _translation(path, error) from error


def _translation(path: str, error: sqlite3.Error) -> Exception:
    text = str(error)
    for words, number in _SYSTEM:
        if words in text:
            if number == errno.EIO and _is_full(path):  # SQLite does not say so of its index
                number = errno.ENOSPC
            return OSError(number, f"{os.strerror(number)} ({text})", path)
    if "locked" in text:
        return StoreError(
            f"{path} is in use by another program, which did not let go of it in time. "
            "Try again when it is done."
        )
    if "closed database" in text:
        return StoreError(f"{path} is closed: open it again with SampleStore")
    return damaged(path, text)


def _is_full(path: str) -> bool:
    try:
        return shutil.disk_usage(Path(path).absolute().parent).free < _INDEX
    except OSError:
        return False
