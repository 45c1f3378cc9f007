"""A sample itself as bytes, kept so that another base can embed it again."""

from __future__ import annotations

import io
import os
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from ...errors import StoreError
from ...modalities import Sample

__all__ = ["photo_of", "sample_of"]


def photo_of(sample: Sample, inputs: Mapping[str, np.ndarray]) -> bytes:
    """A file as it is, a picture as PNG, an array as `.npy`; of several inputs what they are.

    Args:
        sample: what the user gave.
        inputs: name → what the base takes.

    Raises:
        OSError: the file is not there, or may not be read.
    """
    if isinstance(sample, str | os.PathLike):
        return Path(sample).read_bytes()
    if isinstance(sample, bytes):
        return sample
    file = io.BytesIO()
    if isinstance(sample, Mapping):
        np.savez(file, **inputs)  # type: ignore[arg-type]  # an input may be called "file"
    elif isinstance(sample, np.ndarray):
        np.save(file, sample, allow_pickle=False)
    else:
        sample.save(file, "PNG")
    return file.getvalue()


def sample_of(photo: bytes) -> Sample:
    """What `photo_of` has kept, as a sample again.

    Raises:
        StoreError: it is damaged.
    """
    import PIL.Image

    file = io.BytesIO(photo)
    try:
        if photo.startswith((b"PK", b"\x93NUMPY")):
            found = np.load(file, allow_pickle=False)
            return found if isinstance(found, np.ndarray) else dict(found)
        return PIL.Image.open(file)
    except Exception as error:  # decoders of damaged files raise anything
        raise StoreError(f"a photo that was kept cannot be read: {error}") from error
