"""Digests of models and checkpoints, which reveal damage such as a flipped bit in a weight."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence

import numpy as np

__all__ = ["checkpoint_digest", "model_digest"]


def model_digest(flatbuffer: bytes) -> str:
    """Return the SHA-256, in hexadecimal, of a model.

    Args:
        flatbuffer: all bytes before the appended ZIP archive, which has checksums of its own.
    """
    return hashlib.sha256(flatbuffer).hexdigest()


def checkpoint_digest(
    arrays: Mapping[str, np.ndarray], classes: Sequence[str | None], keys: Sequence[str | None]
) -> str:
    """Return the SHA-256, in hexadecimal, of the tensors and classes of a checkpoint.

    It is that of each tensor, sorted by name: its name, a line feed, its bytes; then of each class
    index: the name of its class, or nothing if it is free, and a line feed; then the keys in the
    same way.

    Args:
        arrays: name → tensor, without the tensors of the app.
        classes: the name of each class index, or None if it is free.
        keys: the key of each class index, or None if it is free.
    """
    digest = hashlib.sha256()
    for name in sorted(arrays):
        digest.update(f"{name}\n".encode())
        digest.update(np.ascontiguousarray(arrays[name]).tobytes())
    digest.update("".join(f"{name or ''}\n" for name in (*classes, *keys)).encode())
    return digest.hexdigest()
