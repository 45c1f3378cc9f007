"""Cache built files in the user's cache folder.

The name of an entry is `STEM-KEY-DIGEST.tflite`, with a hash of the sources and a hash of the
content. So damaged and outdated entries are never used. Without a writable folder, each call builds
the file.
"""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Callable
from pathlib import Path

import platformdirs

from ..._files import write_atomically

__all__ = ["load_or_build"]

_DIGITS = 32


def load_or_build(stem: str, key: str, build: Callable[[], bytes]) -> bytes:
    """Return the content from the cache, or build and cache it.

    Args:
        stem: readable start of the entry's name. A new entry replaces older ones with the same
            stem.
        key: hash of everything that the content depends on.
        build: function that builds the content.
    """
    folder = _folder()
    if folder is None:
        return build()
    cached = _find(folder, f"{stem}-{key}")
    if cached is not None:
        return cached
    content = build()
    with contextlib.suppress(OSError):
        _store(folder, stem, f"{stem}-{key}-{_digest(content)}.tflite", content)
    return content


def _folder() -> Path | None:
    """Return the user's cache folder for Sartor; None if the system has none."""
    folder = platformdirs.user_cache_path("sartor", appauthor=False)
    return folder if folder.is_absolute() else None


def _find(folder: Path, prefix: str) -> bytes | None:
    """Return the content of an undamaged entry; None if there is none."""
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
