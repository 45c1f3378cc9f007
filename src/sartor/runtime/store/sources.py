"""Noticing the same photo: by a hash of what it holds, or of the name that an app gives it."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from ...modalities import Sample

__all__ = ["source_of"]


def source_of(sample: Sample, name: str | None = None) -> bytes:
    """A SHA-256 that is the same for the same source.

    Args:
        sample: a file counts by its bytes, a picture or an array by its values.
        name: what the app knows the sample by, as an asset's id; then that alone counts.

    Raises:
        OSError: the file is not there, or may not be read.
    """
    digest = hashlib.sha256()
    if name is not None:
        digest.update(b"name\0" + name.encode())
    elif isinstance(sample, Mapping):
        for key in sorted(sample):
            digest.update(key.encode() + b"\0" + source_of(sample[key]))
    elif isinstance(sample, bytes):
        digest.update(sample)
    elif isinstance(sample, str | os.PathLike):
        digest.update(Path(sample).read_bytes())
    else:
        array = np.asarray(sample)
        digest.update(f"{array.dtype} {array.shape}\0".encode() + array.tobytes())
    return digest.digest()
