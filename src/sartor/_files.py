"""Atomic writes: a write either completes or leaves the old file untouched."""

from __future__ import annotations

import contextlib
import os
import secrets
from collections.abc import Iterator
from pathlib import Path

__all__ = ["replacing", "write_atomically"]


def write_atomically(path: Path, content: bytes) -> Path:
    """Write a file atomically, and return its path.

    A reader sees the old file or the new one. If the disk is full or the process is killed, the
    old file stays.

    Args:
        path: path of the file; its folder must exist.
        content: whole content of the file.

    Raises:
        OSError: If the folder does not exist or is not writable, or the disk is full.
    """
    with replacing(path) as temporary, open(temporary, "xb") as file:
        file.write(content)
    return path


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Replace a file atomically by one that the `with` block writes.

    After the block, the new file is flushed to the disk and renamed. If the block raises, the new
    file is deleted and the old one stays.

    Args:
        path: path of the file to replace or create; its folder must exist.

    Yields:
        A path in the same folder, where the block must create the new file.

    Raises:
        OSError: If the folder does not exist or is not writable, or the disk is full.
    """
    temporary = path.with_name(f".{path.name[:64]}.{secrets.token_hex(8)}.part")
    try:
        yield temporary
        with open(temporary, "rb+") as file:
            os.fsync(file.fileno())
        _keep_mode(path, temporary)
        os.replace(temporary, path)
    except BaseException as error:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        if isinstance(error, OSError) and error.filename in (None, str(temporary)):
            error.filename = str(path)  # the path that the caller knows; a full disk names none
        raise
    _sync_folder(path.parent)


def _keep_mode(old: Path, new: Path) -> None:
    """Copy the permissions of the old file, if there is one."""
    with contextlib.suppress(OSError):
        os.chmod(new, old.stat().st_mode & 0o777)


def _sync_folder(folder: Path) -> None:
    """Flush a folder, so that a rename survives a power cut, if the system supports it."""
    with contextlib.suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
