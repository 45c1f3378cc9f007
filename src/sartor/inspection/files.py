"""Describe any file of Sartor. The first bytes determine its format."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TypeAlias

from .._arguments import as_path, check_integer
from .._descriptors import read_start
from .._files import check_readable
from ..bases import load_base
from ..bases.archive import is_exported_model, read_exported_model
from ..bases.base import check_spelling, is_name
from ..errors import ConversionError, InvalidModelError
from ..flatbuffer import write
from ..optimizers import Optimizer
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
from .training import TrainingOptions

__all__ = ["Description", "describe"]

Description: TypeAlias = (
    ModelDescription | CheckpointDescription | StoreDescription | ProjectDescription
)
"""The description of a file. Its attribute `kind` is the type of the file."""

_ZIP = b"PK\x03\x04"
_SQLITE = b"SQLite format 3\0"


def describe(
    path: str | os.PathLike[str],
    *,
    classes: int | Sequence[str] | None = None,
    batch_size: int = 32,
    optimizer: Optimizer | None = None,
    layers: int | None = None,
) -> Description:
    """Describe a file, without running or changing it.

    Args:
        path: path of a `.tflite` file (or a ZIP archive with one), a checkpoint, a sample store or
            a project; or the name of a base, such as `"starter"`.
        classes: class names, or the number of classes. The description of a model then predicts the
            cost of training. Default: no prediction.
        batch_size: rows of one training step, for the prediction.
        optimizer: update rule, for the prediction. Default: `Adam()`, as for `FineTune`.
        layers: largest number of the base's last layers to predict. Default: all.

    Raises:
        ConversionError: If an argument is invalid, or the file is not a model and there are
            classes.
        InvalidModelError: If the file is none of these, or a damaged model; or if there is no such
            file, and the path is close to the name of a base.
        CheckpointError, StoreError, DataError: If a checkpoint, store or project is damaged.
        NotPersonalizableError: If the manifest is damaged or of a newer contract version.
        OSError: If the file does not exist or cannot be read.
    """
    path = as_path(path, "path")
    if layers is not None:
        check_integer(layers, "layers", 0, error=ConversionError)
    training = None if classes is None else TrainingOptions(classes, batch_size, optimizer, layers)
    description = _describe(path, training)
    if training is not None and not isinstance(description, ModelDescription):
        raise ConversionError(
            f"{path} is not a model, so no training can be predicted: leave classes (--classes) out"
        )
    return description


def _describe(path: Path, training: TrainingOptions | None) -> Description:
    if is_name(path):
        return describe_model(path, write(load_base(path)), training)
    check_spelling(path)
    start = read_start(check_readable(path, InvalidModelError), 16)
    if start == _SQLITE:
        return describe_store(path)
    if start.startswith(_ZIP):
        if is_exported_model(path):
            model = describe_model(path, read_exported_model(path).content, training)
            return replace(model, bytes=path.stat().st_size)
        return describe_project(path)
    if start[4:8] != b"TFL3" and start[8:9] == b"{":  # safetensors: a size, then JSON
        return describe_checkpoint(path)
    return describe_model(path, training=training)
