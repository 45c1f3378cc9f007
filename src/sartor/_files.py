"""Writing files so that nothing is lost: whole, or not at all."""

from __future__ import annotations

import contextlib
import os
import secrets
from collections.abc import Iterator
from pathlib import Path

__all__ = ["replacing", "write_atomically"]


def write_atomically(path: Path, content: bytes) -> Path:
    """Write a file under another name, flush it to the disk, then rename it.

    A reader sees the old file or the new one; a full disk or a killed process leaves the old one.

    Args:
        path: where; its folder must be there.
        content: all of it.

    Returns:
        The path.

    Raises:
        OSError: the folder is not there or not writable, or the disk is full.
    """
    with replacing(path) as temporary, open(temporary, "xb") as file:
        file.write(content)
    return path


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Let the block write a file under another name; afterwards flush it and rename it.

    When the block fails, what it wrote is removed and the old file stays.

    Args:
        path: where the file is to be; its folder must be there.

    Yields:
        The path to write to, in the same folder; nothing is there yet.

    Raises:
        OSError: the folder is not there or not writable, or the disk is full.
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
            error.filename = str(path)  # that is what the caller knows; a full disk names nothing
        raise
    _sync_folder(path.parent)


def _keep_mode(old: Path, new: Path) -> None:
    """Give a file the permissions of the one that it is to replace, where there is one."""
    with contextlib.suppress(OSError):
        os.chmod(new, old.stat().st_mode & 0o777)


def _sync_folder(folder: Path) -> None:
    """Let the rename itself survive a power cut, where the system can do that."""
    with contextlib.suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
