"""Any file that Sartor knows, told by its first bytes."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TypeAlias

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
"""What is in a file; `kind` says what it is."""

_ZIP = b"PK\x03\x04"
_SQLITE = b"SQLite format 3\0"


def describe(path: str | os.PathLike[str]) -> Description:
    """Say what is in a file, and of a `.tflite` what it could learn. LiteRT is not run.

    Args:
        path: of any `.tflite` file; of a checkpoint, a sample store or a project.

    Raises:
        InvalidModelError: it is none of these, or a damaged model.
        CheckpointError, StoreError, DataError: it is a damaged checkpoint, store or project.
        NotPersonalizableError: it is a personalizable file of a newer contract, or a damaged one.
        OSError: it is not there, or may not be read.
    """
    path = Path(path)
    with path.open("rb") as stream:
        start = stream.read(16)
    if start == _SQLITE:
        return describe_store(path)
    if start.startswith(_ZIP):
        return describe_project(path)
    if start[4:8] != b"TFL3" and start[8:9] == b"{":  # safetensors: a size, then JSON
        return describe_checkpoint(path)
    return describe_model(path)
