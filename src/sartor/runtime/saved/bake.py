"""Bake: write a checkpoint into a model file, as the initial values of its variables."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np

from ..._arguments import as_path
from ..._files import write_atomically
from ..._outputs import MODEL, check_output
from ...contract.digest import model_digest
from ...contract.manifest import Manifest
from ...contract.names import MANIFEST_FILE
from ...flatbuffer import append_files, files_start
from ...litert import PersonalizableFile, read_personalizable
from .adapt import adapt
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

    The initial values of the variables, the class names and the digest change; all other bytes
    stay.

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
    file = read_personalizable(as_path(model, "model"))
    initial = _initial_values(file)
    adapted = adapt(read_checkpoint(checkpoint), file.manifest, initial, str(checkpoint))
    flatbuffer = _replace_values(file, adapted.variables)
    manifest = replace(
        file.manifest,
        classes=adapted.classes,
        class_keys=adapted.class_keys,
        digest=model_digest(flatbuffer),
    )
    baked = append_files(flatbuffer, _files(file.model.files, manifest))
    return write_atomically(target, baked, private=True), adapted.notes


def _initial_values(file: PersonalizableFile) -> dict[str, np.ndarray]:
    return {
        spec.name: np.frombuffer(file.content, "<f4", math.prod(spec.shape), spec.offset).reshape(
            spec.shape
        )
        for spec in file.manifest.variables
    }


def _replace_values(file: PersonalizableFile, variables: Mapping[str, np.ndarray]) -> bytes:
    """Return the flatbuffer, without the appended files, with other initial values."""
    flatbuffer = bytearray(file.content[: files_start(file.content)])
    for spec in file.manifest.variables:
        data = np.ascontiguousarray(variables[spec.name], "<f4").tobytes()
        flatbuffer[spec.offset : spec.offset + len(data)] = data
    return bytes(flatbuffer)


def _files(files: Mapping[str, bytes], manifest: Manifest) -> dict[str, bytes]:
    """Return the appended files with another manifest; its unknown keys stay."""
    new = manifest.files()
    fields = {**json.loads(files[MANIFEST_FILE]), **json.loads(new[MANIFEST_FILE])}
    text = json.dumps(fields, ensure_ascii=False, separators=(",", ":"))
    return {**files, **new, MANIFEST_FILE: text.encode()}
