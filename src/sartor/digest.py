"""Hashes that tell a damaged file from a whole one: a flipped bit in a weight is no error else."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence

from .manifest import VariableSpec

__all__ = ["checkpoint_digest", "model_digest"]


def model_digest(flatbuffer: bytes, variables: Sequence[VariableSpec]) -> str:
    """SHA-256, in hexadecimal, of a model without the initial values of its variables.

    So that a baked file keeps it. The files behind the flatbuffer are not part of it: the ZIP has
    checksums of its own, and the digest stands in one of them.

    Args:
        flatbuffer: all bytes before the files.
        variables: what is left out: `4 · size` bytes at the offset of each.
    """
    digest, view, start = hashlib.sha256(), memoryview(flatbuffer), 0
    for spec in sorted(variables, key=lambda each: each.offset):
        digest.update(view[start : spec.offset])
        start = spec.offset + 4 * math.prod(spec.shape)
    digest.update(view[start:])
    return digest.hexdigest()


def checkpoint_digest(content: bytes, classes: Sequence[str | None]) -> str:
    """SHA-256, in hexadecimal, of a safetensors file's tensors and of the names of the classes.

    Args:
        content: the file; its data section counts, all behind the header.
        classes: in the order of the slots; each counts with a line end, a free slot as an empty
            line.
    """
    start = 8 + int.from_bytes(content[:8], "little")
    digest = hashlib.sha256(memoryview(content)[start:])
    digest.update("".join(f"{name or ''}\n" for name in classes).encode())
    return digest.hexdigest()
