"""One SQLite file: opened with care, used from any thread, and erased where it must be."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeAlias

from ...errors import StoreError
from .connect import connect, use_log
from .eraser import Eraser
from .faults import damaged, translated
from .schema import VERSION, check_schema, upgrade, version_of

__all__ = ["Database", "Row"]

Row: TypeAlias = "tuple[Any, ...]"

_CHECKED = 64 << 20  # bytes up to which the whole file is checked when it is opened: 0.1 s


class Database:
    """A connection behind a lock, in transactions that are whole or not at all.

    A commit is in the write-ahead log and flushed to the disk (`synchronous=EXTRA`) before it
    returns: neither a killed process nor a power cut loses it. The log costs one flush for each
    commit; a rollback journal, which needs no second file, costs four to six. While a store is
    open there are `-wal` and `-shm` files beside it; closing it leaves the one file.

    Args:
        path: the file, made if it is not there; None keeps everything in memory.
        base: the fingerprint of the base that its features are of; None takes a store that is
            there as it is.

    Raises:
        StoreError: it is damaged, not a store, of a newer Sartor or of another base.
        OSError: it cannot be opened or made.
    """

    def __init__(self, path: Path | None, base: str | None) -> None:
        self.name = ":memory:" if path is None else str(path)
        self._lock = threading.RLock()
        self._depth = 0
        self._forgot = False
        self._eraser = Eraser(self.name)
        with translated(self.name):
            self._connection = connect(path)
            try:
                self._open(path, base)
            except BaseException:
                self._connection.close()
                raise

    def _open(self, path: Path | None, base: str | None) -> None:
        with self.reading():  # one state, while another process creates the store
            version = version_of(self._connection, self.name)
            if path is not None and version and path.stat().st_size <= _CHECKED:
                self._check_pages()
            if version:
                check_schema(self._connection, version, self.name)
                self._check_base(base)
        with contextlib.suppress(sqlite3.OperationalError):  # read-only: then nothing is written
            use_log(self._connection)
        if version < VERSION:
            self._upgrade(base)
        self._eraser.find(self._connection)
        self._eraser.retry(self._connection)

    def _check_pages(self) -> None:
        ((verdict, *_), *_) = self._connection.execute("PRAGMA quick_check(1)").fetchall()
        if verdict != "ok":
            raise damaged(self.name, str(verdict).replace("\n", " "))

    def _upgrade(self, base: str | None) -> None:
        """Make the tables, or bring them up to date, unless another process just has."""
        with self.writing():
            version = version_of(self._connection, self.name)
            upgrade(self._connection, version)
            if not version:
                self.set_base(base or "")
        self._check_base(base)

    def set_base(self, base: str) -> None:
        """Within `writing`: note the fingerprint of the base that all features are of."""
        self.run("INSERT OR REPLACE INTO store VALUES ('base', ?)", base)

    def _check_base(self, base: str | None) -> None:
        """Raise StoreError unless the features in the store are of this base."""
        found = self.rows("SELECT value FROM store WHERE key = 'base'")
        if base is not None and found != [(base,)]:
            raise StoreError(
                f"{self.name} holds features of another base than the model's. Open it with a "
                "model made from the base that it was filled with; or, where the photos of all "
                "samples are kept in it, embed them again with SampleStore.reembed."
            )

    @contextmanager
    def writing(self) -> Iterator[None]:
        """A transaction; one within another is undone by itself when it fails.

        Raises:
            StoreError: another process does not let go of the store, or it is damaged.
            OSError: the disk is full, or the store is read-only; nothing is changed.
        """
        with self._lock:
            if self._depth:
                with self._savepoint():
                    yield
                return
            self._forgot = False
            self.run("BEGIN IMMEDIATE")
            with self._ending():
                yield
            if self._forgot:
                self._eraser.erase(self._connection)
            else:
                self._eraser.retry(self._connection)

    @contextmanager
    def reading(self) -> Iterator[None]:
        """Several queries that see the same state."""
        with self._lock:
            if self._depth:
                yield
                return
            self.run("BEGIN")
            with self._ending():
                yield

    @contextmanager
    def _ending(self) -> Iterator[None]:
        self._depth = 1
        try:
            yield
            if not self._in_transaction():
                raise StoreError(f"{self.name}: the changes failed together; none of them is kept")
            self.run("COMMIT")
        except BaseException:
            if self._in_transaction():  # SQLite may have undone everything by itself
                self.run("ROLLBACK")
            raise
        finally:
            self._depth = 0

    @contextmanager
    def _savepoint(self) -> Iterator[None]:
        name = f"level_{self._depth}"
        self.run(f"SAVEPOINT {name}")
        self._depth += 1
        try:
            yield
        except BaseException:
            if self._in_transaction():
                self.run(f"ROLLBACK TO {name}")
                self.run(f"RELEASE {name}")
            raise
        else:
            self.run(f"RELEASE {name}")
        finally:
            self._depth -= 1

    def _in_transaction(self) -> bool:
        with translated(self.name):
            return self._connection.in_transaction

    def rows(self, query: str, *values: object) -> list[Row]:
        """All rows of a query."""
        with self._lock, translated(self.name):
            return self._connection.execute(query, values).fetchall()

    def run(self, statement: str, *values: object) -> int:
        """Change something, within `writing`; the id of the row that was last inserted."""
        with self._lock, translated(self.name):
            return self._connection.execute(statement, values).lastrowid or 0

    def run_each(self, statement: str, rows: Iterable[Row]) -> None:
        """Change something for each row of values, within `writing`."""
        with self._lock, translated(self.name):
            self._connection.executemany(statement, rows)

    def erase_after(self) -> None:
        """Within `writing`: overwrite what was deleted, once the transaction has ended."""
        self._eraser.order(self._connection)
        self._forgot = True

    def copy_to(self, path: Path) -> None:
        """Write all that is there to a new file, flushed to the disk."""
        with self._lock, translated(self.name):
            self._connection.execute("VACUUM INTO ?", (str(path),))
        with open(path, "rb+") as file:
            os.fsync(file.fileno())

    def close(self) -> None:
        """Close the file; every later call is refused, but for another `close`."""
        with self._lock, translated(self.name):
            self._connection.close()
