"""Writing files so that nothing is lost: whole, or not at all."""

from __future__ import annotations

import contextlib
import os
import secrets
from pathlib import Path

__all__ = ["write_atomically"]


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
    temporary = path.with_name(f".{path.name[:64]}.{secrets.token_hex(8)}.part")
    with open(temporary, "xb") as file:  # its permissions are those of any new file
        try:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
            _keep_mode(path, temporary)
            file.close()  # some systems do not rename an open file
            os.replace(temporary, path)
        except BaseException:
            file.close()
            with contextlib.suppress(OSError):
                os.unlink(temporary)
            raise
    _sync_folder(path.parent)
    return path


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
