"""Forgetting for real: no trace of what was deleted, in no page of the file and of its log."""

from __future__ import annotations

import contextlib
import sqlite3

from ...errors import StoreError
from .faults import translated

__all__ = ["Eraser"]

_KEY = "erase"  # its row in `store` says: something was forgotten, and is not yet overwritten


class Eraser:
    """Writes a store anew after something in it was forgotten.

    `secure_delete` overwrites a deleted row, but not the copies that stay behind in a page when
    SQLite moves rows to another one: of 5,490 deleted rows with random keys it left 10. So
    `VACUUM` writes all that is left to fresh pages, and a checkpoint brings them from the log to
    the file and empties the log. The store itself notes that this is due: a killed process or
    another one's long query only puts it off.

    Args:
        name: of the store, for messages.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._due = False
        self._rewritten = False

    def find(self, connection: sqlite3.Connection) -> None:
        """Look whether the store says that something is still to be erased."""
        query = "SELECT count(*) FROM store WHERE key = ?"
        self._due = connection.execute(query, (_KEY,)).fetchone() != (0,)

    def order(self, connection: sqlite3.Connection) -> None:
        """Note it in the store, in the transaction that deletes."""
        connection.execute("INSERT OR REPLACE INTO store VALUES (?, '')", (_KEY,))
        self._due, self._rewritten = True, False

    def retry(self, connection: sqlite3.Connection) -> None:
        """Do what is due if that is possible at once."""
        if not self._due:
            return
        ((patience,),) = connection.execute("PRAGMA busy_timeout").fetchall()
        connection.execute("PRAGMA busy_timeout = 0")
        try:
            with contextlib.suppress(StoreError, OSError):
                self.erase(connection)
        finally:
            connection.execute(f"PRAGMA busy_timeout = {patience}")

    def erase(self, connection: sqlite3.Connection) -> None:
        """Overwrite what was forgotten.

        Raises:
            StoreError: another process reads the store, and did not end in time.
            OSError: the disk is too full to write what is left anew.
        """
        try:
            with translated(self._name):
                self._erase(connection)
        except (StoreError, OSError) as error:
            text = (
                "what was forgotten is out of the store, but its bytes are not yet overwritten. "
                "That is tried again with the next change, and when the store is opened."
            )
            if isinstance(error, OSError):
                raise OSError(error.errno, f"{error.strerror}: {text}", self._name) from error
            raise StoreError(f"{error} Until then, {text}") from error

    def _erase(self, connection: sqlite3.Connection) -> None:
        if not self._rewritten:
            connection.execute("VACUUM")
            self._rewritten = True
        ((busy, *_),) = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        if busy:
            raise sqlite3.OperationalError("the log is locked by a reader")
        connection.execute("DELETE FROM store WHERE key = ?", (_KEY,))
        self._due = False
