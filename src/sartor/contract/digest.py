"""Hashes that tell a damaged file from a whole one: a flipped bit in a weight is no error else."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping, Sequence

import numpy as np

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


def checkpoint_digest(arrays: Mapping[str, np.ndarray], classes: Sequence[str | None]) -> str:
    """SHA-256, in hexadecimal, of a checkpoint's tensors and of the names of the classes.

    Args:
        arrays: name → tensor, an app's own left out; each counts, in the order of the names, with
            its name, a line end, and its bytes.
        classes: in the order of the slots; each counts with a line end, a free slot as an empty
            line.
    """
    digest = hashlib.sha256()
    for name in sorted(arrays):
        digest.update(f"{name}\n".encode())
        digest.update(np.ascontiguousarray(arrays[name]).tobytes())
    digest.update("".join(f"{name or ''}\n" for name in classes).encode())
    return digest.hexdigest()
