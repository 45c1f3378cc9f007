"""Temporary files and folders beside a file, and the removal of those that a killed process left.

They are named `.NAME.<16 hexadecimal digits>.part` after the file NAME, and only the user can read
them: they may contain samples. A running process holds a lock on each; one without a lock is a
leftover.
"""

from __future__ import annotations

import contextlib
import os
import re
import secrets
import shutil
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

if sys.platform != "win32":
    import fcntl

__all__ = ["remove_leftovers", "temporary_file", "temporary_folder"]

_OUTPUTS = "outputs"  # in a temporary folder: paths of other temporary files, one per line
_NAME = r"\.{}\.[0-9a-f]{{16}}\.part"
_LENGTH = 48  # characters of NAME; file systems allow 255 bytes
_MAX_AGE = 86400  # seconds; Windows has no such locks, so older files are leftovers there


@contextlib.contextmanager
def temporary_file(path: Path, mode: int = 0o600, *, folder: Path | None = None) -> Iterator[Path]:
    """Create an empty file beside a path, and delete it after the block if it is still there.

    Args:
        path: path beside which the file is created.
        mode: permissions of the file. Default: only the user can use it.
        folder: temporary folder whose removal after a killed process removes the file too.
            Default: none.

    Raises:
        OSError: If it cannot be created; its `filename` is the path.
    """
    remove_leftovers(path)
    with _created(path, lambda temporary: _create_file(temporary, mode, folder)) as temporary:
        try:
            yield temporary
        finally:
            with contextlib.suppress(OSError):
                temporary.unlink()


@contextlib.contextmanager
def temporary_folder(path: Path) -> Iterator[Path]:
    """Create a folder beside a path, and delete it after the block if it is still there.

    Raises:
        OSError: If it cannot be created, or the block cannot write in it; its `filename` is the
            path.
    """
    remove_leftovers(path)
    with _created(path, _create_folder) as folder:
        try:
            yield folder
        except OSError as error:
            if error.filename is None or str(error.filename).startswith(str(folder)):
                error.filename = str(path)
            raise
        finally:
            shutil.rmtree(folder, ignore_errors=True)


def remove_leftovers(path: Path) -> None:
    """Delete the temporary files and folders of a path that no running process uses."""
    pattern = re.compile(_NAME.format(re.escape(path.name[:_LENGTH])))
    with contextlib.suppress(OSError):
        for entry in os.scandir(path.parent):
            if pattern.fullmatch(entry.name):
                _remove(Path(entry.path))


def _remove(temporary: Path) -> None:
    """Delete a temporary file or folder unless a running process uses it."""
    with contextlib.suppress(OSError), _lock(temporary, wait=False):
        if not temporary.is_dir():
            temporary.unlink()
            return
        if (temporary / _OUTPUTS).is_file():
            for line in (temporary / _OUTPUTS).read_text(encoding="utf-8").splitlines():
                if re.fullmatch(_NAME.format(".*"), Path(line).name):
                    _remove(Path(line))
        shutil.rmtree(temporary)


@contextlib.contextmanager
def _created(path: Path, create: Callable[[Path], None]) -> Iterator[Path]:
    """Create a file or folder with a new name, and hold its lock."""
    with contextlib.ExitStack() as stack:
        while True:
            temporary = path.with_name(f".{path.name[:_LENGTH]}.{secrets.token_hex(8)}.part")
            try:
                create(temporary)
            except OSError as error:
                error.filename = str(path)
                raise
            stack.enter_context(_lock(temporary, wait=True))
            if temporary.exists():  # else another process deleted it before the lock
                break
        yield temporary


def _create_file(path: Path, mode: int, folder: Path | None) -> None:
    """Create a file, after its path was recorded in a temporary folder: it is deleted with it."""
    if folder is not None:
        with open(folder / _OUTPUTS, "a", encoding="utf-8") as outputs:
            outputs.write(f"{path.absolute()}\n")
    os.close(os.open(path, os.O_CREAT | os.O_EXCL, mode))


def _create_folder(path: Path) -> None:
    path.mkdir(0o700)


@contextlib.contextmanager
def _lock(path: Path, *, wait: bool) -> Iterator[None]:
    """Lock a file or folder; raise OSError if another process holds its lock and `wait` is False.

    A file system without locks raises OSError too, unless `wait` is True.
    """
    if sys.platform == "win32":
        if not wait and time.time() - path.stat().st_mtime < _MAX_AGE:
            raise PermissionError
        yield
        return
    handle = os.open(path, os.O_RDONLY)
    try:
        with contextlib.suppress(*((OSError,) if wait else ())):
            fcntl.flock(handle, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        yield
    finally:
        os.close(handle)
