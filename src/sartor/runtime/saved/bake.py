"""Write a checkpoint into the file itself, which then knows its classes from the start."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np

from ..._files import write_atomically
from ...contract.manifest import Manifest
from ...contract.names import MANIFEST_FILE
from ...errors import NotPersonalizableError
from ...flatbuffer import append_files, files_start, read
from ...litert import check_signatures, manifest_of
from .adapt import Adapted, adapt
from .checkpoint import read_checkpoint

__all__ = ["bake"]


def bake(
    model: str | os.PathLike[str],
    checkpoint: str | os.PathLike[str],
    output: str | os.PathLike[str],
) -> tuple[Path, tuple[str, ...]]:
    """Make a file that starts with what a checkpoint has learned.

    The bytes of the variables' initial values are overwritten, and the files behind the
    flatbuffer name the classes; all else stays byte for byte as it is.

    Args:
        model: a personalizable file; it is not changed, unless it is `output` too.
        checkpoint: of this model, or of one with other room for classes or another optimizer.
        output: where to write.

    Returns:
        The path, and in words what of the checkpoint could not be taken over.

    Raises:
        InvalidModelError: the model is not there, or damaged.
        NotPersonalizableError: it cannot learn.
        CheckpointError: the checkpoint is damaged, or belongs to another model.
        OSError: a file cannot be read or written.
    """
    path = Path(model)
    parsed = read(path)
    manifest = manifest_of(parsed, path)
    check_signatures(parsed, manifest, path)
    content = path.read_bytes()
    initial = _initial_values(content, manifest, path)
    adapted = adapt(read_checkpoint(Path(checkpoint)), manifest, initial, str(checkpoint))
    files = _files(parsed.files, manifest, adapted)
    baked = append_files(_overwritten(content, manifest, adapted.state), files)
    return write_atomically(Path(output), baked), adapted.notes


def _initial_values(content: bytes, manifest: Manifest, path: Path) -> dict[str, np.ndarray]:
    end = files_start(content)
    values = {}
    for spec in manifest.variables:
        count = int(np.prod(spec.shape))
        if spec.offset + 4 * count > end:
            raise NotPersonalizableError(
                f"{path}: {MANIFEST_FILE} places {spec.name} at byte {spec.offset}, behind the "
                "model's end: the file was changed by another tool. Convert the base again."
            )
        array = np.frombuffer(content, "<f4", count, spec.offset)
        values[spec.name] = array.reshape(spec.shape)
    return values


def _overwritten(content: bytes, manifest: Manifest, state: Mapping[str, np.ndarray]) -> bytes:
    """The flatbuffer without the files behind it, with other initial values."""
    model = bytearray(content[: files_start(content)])
    for spec in manifest.variables:
        data = np.ascontiguousarray(state[spec.name], "<f4").tobytes()
        model[spec.offset : spec.offset + len(data)] = data
    return bytes(model)


def _files(files: Mapping[str, bytes], manifest: Manifest, adapted: Adapted) -> dict[str, bytes]:
    """The files behind the model, with the names of the classes; keys not known to us are kept."""
    named = replace(manifest, classes=adapted.classes).files()
    fields = {**json.loads(files[MANIFEST_FILE]), **json.loads(named[MANIFEST_FILE])}
    text = json.dumps(fields, ensure_ascii=False, separators=(",", ":"))
    return {**files, **named, MANIFEST_FILE: text.encode()}
