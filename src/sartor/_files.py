"""Files: a check before one is read, and atomic writes.

An atomic write either completes or leaves the old file untouched.
"""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import TypeAlias

from ._temporary import temporary_file
from .errors import OutputError, SartorError

__all__ = ["FilePath", "check_readable", "replacing", "sync", "write_atomically"]

FilePath: TypeAlias = "str | os.PathLike[str]"
"""A path as users give it."""


def check_readable(path: FilePath, error: type[SartorError]) -> Path:
    """Return a path that can be opened to read. A pipe or a device may never end.

    Args:
        path: path of an input file.
        error: error to raise if the path is no file's.

    Raises:
        SartorError: The given error, if the path has a zero byte, or is a pipe, a socket or a
            device.
        OSError: If the file does not exist, or its folder cannot be read.
    """
    try:
        mode = os.stat(path).st_mode
    except ValueError as cause:
        raise error(f"{os.fspath(path)!r} is not a path: {cause}") from cause
    if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
        raise error(f"{os.fspath(path)} is a pipe or a device: copy its content to a file first")
    return Path(path)


def write_atomically(path: Path, content: bytes, *, private: bool = False) -> Path:
    """Write a file atomically, and return its path.

    A reader sees the old file or the new one. If the disk is full or the process is killed, the
    old file stays.

    Args:
        path: path of the file; its folder must exist.
        content: whole content of the file.
        private: see `replacing`.

    Raises:
        OutputError: If the path is not a regular file.
        OSError: If the folder does not exist or is not writable, or the disk is full.
    """
    with replacing(path, private=private) as temporary, open(temporary, "wb") as file:
        file.write(content)
    return path


@contextlib.contextmanager
def replacing(path: Path, *, private: bool = False, folder: Path | None = None) -> Iterator[Path]:
    """Replace a file atomically by one that the `with` block writes.

    After the block, the new file is flushed to the disk and renamed. If the block raises, the new
    file is deleted and the old one stays. A symbolic link stays, and its target is replaced.

    Args:
        path: path of the file to replace or create; its folder must exist.
        private: whether only the user may read a new file (mode 0600). Default: False. A file
            that is replaced keeps its mode.
        folder: see `temporary_file`.

    Yields:
        The path of an empty file in the same folder, which the block must fill.

    Raises:
        OutputError: If the path is not a regular file.
        OSError: If the folder does not exist or is not writable, or the disk is full.
    """
    target = Path(os.path.realpath(path))
    mode = _mode(target)
    permissions = 0o600 if private or mode else 0o666
    with temporary_file(target, permissions, folder=folder) as temporary:
        try:
            yield temporary
            sync(temporary)
            if mode is not None:
                with contextlib.suppress(OSError):
                    os.chmod(temporary, mode)
            os.replace(temporary, target)
        except OSError as error:
            if error.filename in (None, str(temporary)):  # a full disk names no file
                error.filename = str(path)
            raise
    sync(target.parent)


def _mode(path: Path) -> int | None:
    """Return the permissions of a file, or None if there is no file."""
    try:
        mode = path.stat().st_mode
    except FileNotFoundError:
        return None
    if not stat.S_ISREG(mode):
        raise OutputError(f"{path} is not a regular file: choose another output")
    return stat.S_IMODE(mode)


def sync(path: Path) -> None:
    """Flush a file; or a folder, so that a rename survives a power cut, if that is supported."""
    if not path.is_dir():
        with open(path, "rb+") as file:
            os.fsync(file.fileno())
        return
    with contextlib.suppress(OSError):
        handle = os.open(path, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
