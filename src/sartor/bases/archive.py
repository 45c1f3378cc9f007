"""ZIP archives that contain a `.tflite` model, as Teachable Machine exports them."""

from __future__ import annotations

import re
import zipfile
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from ..errors import ConversionError
from ..flatbuffer import ZIP_ERRORS, append_files, read
from ..graph import Model

__all__ = ["ExportedModel", "is_exported_model", "read_exported_model"]

_MAX_BYTES = 256 * 2**20  # of a model; a label file is far smaller
_PREFERRED = ("model_unquant.tflite", "model.tflite")
_LABELS = "labels.txt"
_PROJECT = ".safetensors"  # a project of Sartor contains a checkpoint
_OTHERS = {
    "model.json": "it is an export for TensorFlow.js: export the model for TensorFlow Lite, "
    "floating point",
    "keras_model.h5": "unpack it, and pass keras_model.h5",
}


@dataclass(frozen=True)
class ExportedModel:
    """The files of an archive.

    Attributes:
        content: content of the `.tflite` file, with the label file.
        labels: names of the classes that the model was trained on; empty if they are unknown.
    """

    content: bytes
    labels: tuple[str, ...]


def is_exported_model(path: Path) -> bool:
    """Return whether a file is a ZIP archive with a model, or one of Teachable Machine."""
    try:
        with zipfile.ZipFile(path) as archive:
            names = _entries(archive)
    except (zipfile.BadZipFile, OSError, NotImplementedError, ValueError):
        return False
    if any(name.endswith(_PROJECT) for name in names):
        return False
    return any(name.endswith(".tflite") or name in _OTHERS for name in names)


def read_exported_model(path: Path) -> ExportedModel:
    """Read the model of an archive. Nothing is written to the disk.

    Raises:
        ConversionError: If the archive contains no model or several, or is damaged.
        InvalidModelError: If the model is damaged.
        OSError: If the file cannot be read.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            entries = _entries(archive)
            content = _read(archive, entries[_choose(path, entries)])
            labels = _read(archive, entries[_LABELS]) if _LABELS in entries else b""
    except ZIP_ERRORS as error:
        raise ConversionError(f"{path} is a damaged ZIP archive: {error}") from error
    lines = labels.decode(errors="replace").splitlines()
    names = [re.sub(r"^\d+\s+", "", line).strip() for line in lines]
    return ExportedModel(_with_labels(read(content), content, labels), tuple(filter(None, names)))


def _entries(archive: zipfile.ZipFile) -> dict[str, zipfile.ZipInfo]:
    """Return the visible files by their names without folders."""
    paths = [(PurePosixPath(entry.filename), entry) for entry in archive.infolist()]
    return {
        path.name: entry
        for path, entry in paths
        if not entry.is_dir() and not path.name.startswith(".") and path.parts[0] != "__MACOSX"
    }


def _choose(path: Path, entries: dict[str, zipfile.ZipInfo]) -> str:
    """Return the name of the model."""
    models = [name for name in entries if name.endswith(".tflite") and "edgetpu" not in name]
    preferred = [name for name in _PREFERRED if name in models]
    if preferred or len(models) == 1:
        return (preferred or models)[0]
    if models:
        raise ConversionError(
            f"{path} contains several models ({', '.join(models[:5])}): unpack it, and pass one"
        )
    advice = next(
        (text for name, text in _OTHERS.items() if name in entries), "pass a .tflite file"
    )
    raise ConversionError(f"{path} contains no .tflite file: {advice}")


def _read(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> bytes:
    """Return the content of a file, if it is not too large."""
    with archive.open(entry) as file:
        content = file.read(_MAX_BYTES + 1)
    if len(content) > _MAX_BYTES:
        raise ConversionError(
            f"{entry.filename} in the archive has more than {_MAX_BYTES:,} bytes: unpack it, and "
            "pass the .tflite file"
        )
    return content


def _with_labels(model: Model, content: bytes, labels: bytes) -> bytes:
    """Return the model with the label file, unless it has files of its own."""
    return append_files(content, {_LABELS: labels}) if labels and not model.files else content
