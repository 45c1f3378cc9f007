"""Overwrite deleted bytes, in the file and in its log."""

from __future__ import annotations

import contextlib
import sqlite3
import warnings

from ...contract.sample_store import STORE_ERASE
from ...errors import StoreError
from .faults import translated

__all__ = ["Eraser"]


class Eraser:
    """Rewrites a store after samples were deleted.

    `secure_delete` overwrites a deleted row, but not the copies that remain in a page when SQLite
    moves rows to another one: of 5,490 deleted rows with random keys it left 10. So `VACUUM`
    writes the remaining rows to new pages, and a checkpoint moves them from the log to the file
    and empties the log. A row in the store records that this is due, so that it is only delayed
    by a killed process or by a long query of another one.

    Args:
        name: name of the store, for messages.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._due = False
        self._rewritten = False

    def check(self, connection: sqlite3.Connection) -> None:
        """Read whether deleted bytes are to be overwritten."""
        query = "SELECT count(*) FROM meta WHERE key = ?"
        self._due = connection.execute(query, (STORE_ERASE,)).fetchone() != (0,)

    def request(self, connection: sqlite3.Connection) -> None:
        """Record that deleted bytes are to be overwritten, in the transaction that deletes."""
        connection.execute("INSERT OR REPLACE INTO meta VALUES (?, '')", (STORE_ERASE,))
        self._due, self._rewritten = True, False

    def retry(self, connection: sqlite3.Connection) -> None:
        """Erase if that is due, and possible without waiting."""
        if not self._due:
            return
        ((timeout,),) = connection.execute("PRAGMA busy_timeout").fetchall()
        connection.execute("PRAGMA busy_timeout = 0")
        try:
            with contextlib.suppress(StoreError, OSError), translated(self._name):
                self._erase(connection)
        finally:
            connection.execute(f"PRAGMA busy_timeout = {timeout}")

    def erase(self, connection: sqlite3.Connection) -> None:
        """Overwrite deleted bytes.

        It warns if they are not yet overwritten, because another process reads the store for too
        long, or the disk is too full to rewrite the file: the samples are deleted nevertheless.
        """
        try:
            with translated(self._name):
                self._erase(connection)
        except (StoreError, OSError) as error:
            warnings.warn(
                "the samples are deleted, but their bytes are not overwritten yet. Sartor tries "
                f"again at the next change, and when the store is opened. Reason: {error}",
                RuntimeWarning,
                stacklevel=2,
            )

    def _erase(self, connection: sqlite3.Connection) -> None:
        if not self._rewritten:
            connection.execute("VACUUM")
            self._rewritten = True
        ((busy, *_),) = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        if busy:
            raise sqlite3.OperationalError("the log is locked by a reader")
        connection.execute("DELETE FROM meta WHERE key = ?", (STORE_ERASE,))
        self._due = False
