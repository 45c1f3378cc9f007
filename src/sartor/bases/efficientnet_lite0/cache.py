"""Files that were made once and need not be made again: the user's cache folder.

An entry's name says what it was made from and what it holds: `STEM-KEY-DIGEST.tflite`. So one that
is damaged is seen, and one that was made from something else is never found. Nothing here fails:
without a folder to write to, every call makes the file anew.
"""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Callable
from pathlib import Path

import platformdirs

from ..._files import write_atomically

__all__ = ["cached"]

_DIGITS = 32


def cached(stem: str, key: str, make: Callable[[], bytes]) -> bytes:
    """Return what `make` makes, from the cache where it is there.

    Args:
        stem: names the entry for people; an older one of the same stem is replaced.
        key: a hash over all that the content depends on.
        make: makes the content.
    """
    folder = _folder()
    if folder is None:
        return make()
    found = _find(folder, f"{stem}-{key}")
    if found is not None:
        return found
    content = make()
    with contextlib.suppress(OSError):
        _store(folder, stem, f"{stem}-{key}-{_digest(content)}.tflite", content)
    return content


def _folder() -> Path | None:
    """The user's cache folder for Sartor; None where the system names none."""
    folder = platformdirs.user_cache_path("sartor", appauthor=False)
    return folder if folder.is_absolute() else None


def _find(folder: Path, prefix: str) -> bytes | None:
    """The content of an undamaged entry, or None."""
    with contextlib.suppress(OSError):
        for path in folder.glob(f"{prefix}-*.tflite"):
            content = path.read_bytes()
            if path.stem == f"{prefix}-{_digest(content)}":
                return content
    return None


def _store(folder: Path, stem: str, name: str, content: bytes) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for path in folder.glob(f"{stem}-*.tflite"):
        path.unlink(missing_ok=True)
    write_atomically(folder / name, content)


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:_DIGITS]
