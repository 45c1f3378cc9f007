"""What a path holds: by its content, and by its name where the content does not say."""

from __future__ import annotations

import contextlib
import zipfile
from pathlib import Path

__all__ = ["KERAS", "PYTORCH", "SAVED_MODEL", "TFLITE", "kind_of"]

KERAS = "keras"
PYTORCH = "pytorch"
SAVED_MODEL = "saved_model"
TFLITE = "tflite"

_BY_NAME = {
    ".h5": KERAS,
    ".hdf5": KERAS,
    ".keras": KERAS,
    ".pt": PYTORCH,
    ".pt2": PYTORCH,
    ".pth": PYTORCH,
}
_HDF5, _ZIP, _TFLITE = b"\x89HDF\r\n\x1a\n", b"PK\3\4", b"TFL3"
_GRAPHS = ("saved_model.pb", "saved_model.pbtxt")
_KERAS_MEMBER = "config.json"
_EXPORTED_MEMBERS = ("archive_format", "serialized_exported_program.json")


def kind_of(path: Path) -> str:
    """Tell which kind of base a path is.

    Returns:
        `KERAS`, `PYTORCH`, `SAVED_MODEL`, or `TFLITE`, also for what is none of them, or is not
        there: reading it says what is wrong.
    """
    if path.is_dir() or path.name in _GRAPHS:
        return SAVED_MODEL
    head = b""
    with contextlib.suppress(OSError), path.open("rb") as file:
        head = file.read(8)
    if head[4:] == _TFLITE:
        return TFLITE
    if head == _HDF5:
        return KERAS
    if head[:4] == _ZIP:
        return _kind_of_archive(path)
    return _BY_NAME.get(path.suffix.lower(), TFLITE)


def _kind_of_archive(path: Path) -> str:
    try:
        with zipfile.ZipFile(path) as archive:
            names = {name.rpartition("/")[2] for name in archive.namelist()}
    except (zipfile.BadZipFile, OSError, NotImplementedError):
        names = set()
    if _KERAS_MEMBER in names:
        return KERAS
    if names.intersection(_EXPORTED_MEMBERS):
        return PYTORCH
    return _BY_NAME.get(path.suffix.lower(), TFLITE)
