"""One SQLite file: checked, used from any thread, in complete transactions."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeAlias

from ..._descriptors import OpenFile, opened
from ..._files import sync
from ..._temporary import remove_leftovers
from ...contract.sample_store import STORE_BASE
from ...errors import StoreError
from .connect import connect, create_file, use_log
from .eraser import Eraser
from .faults import damaged, translated
from .place import Place
from .schema import check_pages, check_schema, create_schema, is_new

__all__ = ["Database", "Row"]

Row: TypeAlias = "tuple[Any, ...]"


class Database:
    """A connection with a lock, and atomic transactions.

    A commit is flushed to the write-ahead log on the disk (`synchronous=EXTRA`) before it returns:
    it survives a killed process and a power failure. The log costs one flush for each commit; a
    rollback journal costs four to six. An open store has `-wal` and `-shm` files beside it; a
    closed one has not.

    Args:
        path: path of the file, which is created if it does not exist. None stores in memory.
        base: fingerprint of the base that computes the features. None accepts any base.
        task: task of the model, which its targets must fit. Default: any.
        create: whether an empty or missing file becomes a store. Default: True.

    Raises:
        StoreError: If the file is damaged, not a store, of another version, or of another base.
        OSError: If the file cannot be opened or created.
    """

    def __init__(
        self, path: Path | None, base: str | None, *, task: str = "", create: bool = True
    ) -> None:
        self.name = ":memory:" if path is None else str(path)
        self.task = task
        self._path = path
        self._place = Place(None)
        self._lock = threading.RLock()
        self._depth = 0
        self._version: list[Row] = []
        self._erase = False
        self._eraser = Eraser(self.name)
        with contextlib.ExitStack() as stack:
            stack.enter_context(translated(self.name))
            file: OpenFile | None = None
            if path is not None:
                create_file(path)
                file = stack.enter_context(opened(path))
            self._connection = stack.enter_context(contextlib.closing(connect(path)))
            self._open(path, base, create)
            self._place = Place(path, file)
            self._closing = stack.pop_all()

    def _open(self, path: Path | None, base: str | None, create: bool) -> None:
        with self.reading():  # one state, while another process creates the store
            new = is_new(self._connection, self.name)
            if new and not create:
                raise damaged(self.name, "it is empty")
            if path is not None and not new:
                check_pages(self._connection, path)
            if not new:
                check_schema(self._connection, self.name)
                self._check_base(base)
        with contextlib.suppress(sqlite3.OperationalError):  # a read-only file
            use_log(self._connection)
        if new:
            self._create(base)
        self._eraser.check(self._connection)
        self._eraser.retry(self._connection)
        self._remove_leftovers()

    def _create(self, base: str | None) -> None:
        """Create the tables, unless another process just has."""
        with self.writing():
            if is_new(self._connection, self.name):
                create_schema(self._connection)
                self.set_base(base or "")
        self._check_base(base)

    def _remove_leftovers(self) -> None:
        """Delete what killed processes left beside the store: parts of projects, with features."""
        if self._path is not None:
            remove_leftovers(self._path)

    def set_base(self, base: str) -> None:
        """Write the fingerprint of the base that computes the features, within `writing`."""
        self.run("INSERT OR REPLACE INTO meta VALUES (?, ?)", STORE_BASE, base)

    def _check_base(self, base: str | None) -> None:
        """Raise StoreError unless this base computed the features."""
        stored = self.rows("SELECT value FROM meta WHERE key = ?", STORE_BASE)
        if base is not None and stored != [(base,)]:
            raise StoreError(
                f"{self.name} has features of another base. Open it with a model of that base; or, "
                "if the photos of all samples are stored, call sartor.runtime.reembed."
            )

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Open a transaction for writing; a nested one is rolled back separately.

        Raises:
            StoreError: If another process locks the store, or it is damaged.
            OSError: If the disk is full, or the store is read-only; nothing is changed.
        """
        with self._lock:
            if self._depth:
                with self._savepoint():
                    yield
                return
            self._erase = False
            self._place.check(self._connection)
            self.run("BEGIN IMMEDIATE")
            with self._transaction():
                yield
            self._place.check(self._connection)  # before the change is acknowledged
            if self._erase:
                self._eraser.erase(self._connection)
                self._remove_leftovers()
            else:
                self._eraser.retry(self._connection)

    @contextmanager
    def reading(self) -> Iterator[None]:
        """Open a transaction for reading: all queries see the same state."""
        with self._lock:
            if self._depth:
                yield
                return
            self._place.check(self._connection)
            self.run("BEGIN")
            with self._transaction():
                yield

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        self._depth = 1
        try:
            yield
            if not self._in_transaction():
                raise StoreError(f"{self.name}: the transaction failed; nothing was changed")
            self.run("COMMIT")
        except BaseException:
            if self._in_transaction():  # SQLite may have rolled it back itself
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
        """Return all rows of a query."""
        with self._lock, translated(self.name):
            return self._connection.execute(query, values).fetchall()

    def changed_elsewhere(self) -> bool:
        """Return whether another connection has changed the file since the last call."""
        before, self._version = self._version, self.rows("PRAGMA data_version")
        return self._version != before

    def run(self, statement: str, *values: object) -> int:
        """Run a statement within `writing`, and return the ID of the last inserted row."""
        with self._lock, translated(self.name):
            return self._connection.execute(statement, values).lastrowid or 0

    def run_each(self, statement: str, rows: Iterable[Row]) -> None:
        """Run a statement for each row of values, within `writing`."""
        with self._lock, translated(self.name):
            self._connection.executemany(statement, rows)

    def erase_after(self) -> None:
        """Overwrite the deleted bytes after the transaction; call it within `writing`.

        If that has to wait for a later transaction, a warning says so.
        """
        self._eraser.request(self._connection)
        self._erase = True

    def copy_to(self, path: Path) -> None:
        """Copy the database to a new file, and flush it to the disk."""
        os.close(os.open(path, os.O_CREAT | os.O_EXCL, 0o600))  # SQLite fills an empty file
        with self._lock, translated(self.name):
            self._place.check_content()
            self._connection.execute("VACUUM INTO ?", (str(path),))
        sync(path)

    def close(self) -> None:
        """Close the file; later calls raise StoreError. May be called again."""
        with self._lock:
            self._closing.close()
