"""Bake: write a checkpoint into a model file, as the initial values of its variables."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np

from ..._files import write_atomically
from ..._outputs import MODEL, check_output
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
    *,
    force: bool = False,
) -> tuple[Path, tuple[str, ...]]:
    """Write a checkpoint into a model file.

    The initial values of the variables and the class names change; all other bytes stay.

    Args:
        model: path of a personalizable file.
        checkpoint: path of a checkpoint of the model, or of one with the same base and head but
            another capacity or optimizer.
        output: path of the file to write.
        force: whether to replace a file of another type. Default: False.

    Returns:
        The path, and messages about the parts of the checkpoint that were dropped.

    Raises:
        OutputError: If `output` is the model or the checkpoint, is not a regular file, or is a
            file of another type.
        InvalidModelError: If the model does not exist or is damaged.
        NotPersonalizableError: If the model cannot be trained.
        CheckpointError: If the checkpoint is damaged or belongs to another model.
        OSError: If a file cannot be read or written.
    """
    target = check_output(output, MODEL, inputs=(model, checkpoint), force=force)
    path = Path(model)
    parsed = read(path)
    manifest = manifest_of(parsed, path)
    check_signatures(parsed, manifest, path)
    content = path.read_bytes()
    initial = _initial_values(content, manifest, path)
    adapted = adapt(read_checkpoint(Path(checkpoint)), manifest, initial, str(checkpoint))
    files = _files(parsed.files, manifest, adapted)
    baked = append_files(_replace_values(content, manifest, adapted.variables), files)
    return write_atomically(target, baked, private=True), adapted.notes


def _initial_values(content: bytes, manifest: Manifest, path: Path) -> dict[str, np.ndarray]:
    end = files_start(content)
    values = {}
    for spec in manifest.variables:
        count = int(np.prod(spec.shape))
        if spec.offset + 4 * count > end:
            raise NotPersonalizableError(
                f"{path}: {MANIFEST_FILE} places {spec.name} at byte {spec.offset}, after the end "
                "of the model: another tool changed the file. Convert the base again."
            )
        array = np.frombuffer(content, "<f4", count, spec.offset)
        values[spec.name] = array.reshape(spec.shape)
    return values


def _replace_values(
    content: bytes, manifest: Manifest, variables: Mapping[str, np.ndarray]
) -> bytes:
    """Return the flatbuffer, without the appended files, with other initial values."""
    model = bytearray(content[: files_start(content)])
    for spec in manifest.variables:
        data = np.ascontiguousarray(variables[spec.name], "<f4").tobytes()
        model[spec.offset : spec.offset + len(data)] = data
    return bytes(model)


def _files(files: Mapping[str, bytes], manifest: Manifest, adapted: Adapted) -> dict[str, bytes]:
    """Return the appended files with the class names; unknown keys of the manifest stay."""
    named = replace(manifest, classes=adapted.classes).files()
    fields = {**json.loads(files[MANIFEST_FILE]), **json.loads(named[MANIFEST_FILE])}
    text = json.dumps(fields, ensure_ascii=False, separators=(",", ":"))
    return {**files, **named, MANIFEST_FILE: text.encode()}
