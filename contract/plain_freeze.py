"""Freeze by copying bytes, as docs/contract.md describes it."""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence

import numpy as np

from sartor.contract.manifest import Manifest
from sartor.contract.names import LABELS_FILE, MANIFEST_FILE
from sartor.flatbuffer import append_files, files_start, read

__all__ = ["plain_freeze"]


def plain_freeze(
    content: bytes, variables: Mapping[str, np.ndarray], classes: Sequence[str | None]
) -> bytes:
    """Return the plain classifier in a personalizable file.

    Args:
        content: bytes of the file.
        variables: value of each variable.
        classes: name of each class index; None for an index that the classifier does not have.
    """
    files = read(content).files
    manifest = Manifest.from_json(files.pop(MANIFEST_FILE))
    assert manifest.frozen is not None
    indices = [index for index, name in enumerate(classes) if name is not None]
    file = bytearray(content[: files_start(content)])
    for spec in manifest.variables:
        if spec.offset > manifest.frozen.offset:
            value = variables[spec.name].astype("<f4")
            if spec.class_axis is not None:
                value = value.take(indices, spec.class_axis)
            data = value.tobytes()
            file[spec.offset - 4 : spec.offset + len(data)] = struct.pack("<I", len(data)) + data
    for position in manifest.frozen.class_counts:
        struct.pack_into("<i", file, position, len(indices))
    labels = "\n".join(name for name in classes if name is not None)
    return append_files(
        bytes(file[manifest.frozen.offset :]), {**files, LABELS_FILE: labels.encode()}
    )
