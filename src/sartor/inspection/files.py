"""Describe any file of Sartor. The first bytes determine its format."""

from __future__ import annotations

import os
from typing import TypeAlias

from .._arguments import as_path
from .._descriptors import read_start
from .._files import check_readable
from ..bases.archive import is_exported_model, read_exported_model
from ..errors import InvalidModelError
from .model import describe_model
from .records import ModelDescription
from .saved import (
    CheckpointDescription,
    ProjectDescription,
    StoreDescription,
    describe_checkpoint,
    describe_project,
    describe_store,
)

__all__ = ["Description", "describe"]

Description: TypeAlias = (
    ModelDescription | CheckpointDescription | StoreDescription | ProjectDescription
)
"""The description of a file. Its attribute `kind` is the type of the file."""

_ZIP = b"PK\x03\x04"
_SQLITE = b"SQLite format 3\0"


def describe(path: str | os.PathLike[str]) -> Description:
    """Describe a file, without running or changing it.

    Args:
        path: path of a `.tflite` file (or a ZIP archive with one), a checkpoint, a sample store or
            a project.

    Raises:
        InvalidModelError: If the file is none of these, or a damaged model.
        CheckpointError, StoreError, DataError: If a checkpoint, store or project is damaged.
        NotPersonalizableError: If the manifest is damaged or of a newer contract version.
        OSError: If the file does not exist or cannot be read.
    """
    path = check_readable(as_path(path, "path"), InvalidModelError)
    start = read_start(path, 16)
    if start == _SQLITE:
        return describe_store(path)
    if start.startswith(_ZIP):
        if is_exported_model(path):
            return describe_model(path, read_exported_model(path).content)
        return describe_project(path)
    if start[4:8] != b"TFL3" and start[8:9] == b"{":  # safetensors: a size, then JSON
        return describe_checkpoint(path)
    return describe_model(path)
