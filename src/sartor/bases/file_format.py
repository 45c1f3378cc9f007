"""Detect the format of a base from its content, or from its name."""

from __future__ import annotations

import contextlib
import zipfile
from pathlib import Path

from .._descriptors import read_start
from .archive import is_exported_model

__all__ = ["ARCHIVE", "KERAS", "PYTORCH", "SAVED_MODEL", "TFLITE", "detect_format"]

ARCHIVE = "archive"
KERAS = "keras"
PYTORCH = "pytorch"
SAVED_MODEL = "saved_model"
TFLITE = "tflite"

_BY_SUFFIX = {
    ".h5": KERAS,
    ".hdf5": KERAS,
    ".keras": KERAS,
    ".pt": PYTORCH,
    ".pt2": PYTORCH,
    ".pth": PYTORCH,
}
_HDF5, _ZIP, _TFLITE = b"\x89HDF\r\n\x1a\n", b"PK\3\4", b"TFL3"
_SAVED_MODEL_FILES = ("saved_model.pb", "saved_model.pbtxt")
_KERAS_MEMBER = "config.json"
_PYTORCH_MEMBERS = ("archive_format", "serialized_exported_program.json")


def detect_format(path: Path) -> str:
    """Return the format of a base.

    Returns:
        `ARCHIVE`, `KERAS`, `PYTORCH`, `SAVED_MODEL` or `TFLITE`. The last is also the result for
        unknown and missing files: reading them raises a precise error.
    """
    if path.is_dir() or path.name in _SAVED_MODEL_FILES:
        return SAVED_MODEL
    head = b""
    if path.is_file():  # a pipe may never end
        with contextlib.suppress(OSError):
            head = read_start(path, 8)
    if head[4:] == _TFLITE:
        return TFLITE
    if head == _HDF5:
        return KERAS
    if head[:4] == _ZIP:
        return _detect_format_archive(path)
    return _BY_SUFFIX.get(path.suffix.lower(), TFLITE)


def _detect_format_archive(path: Path) -> str:
    try:
        with zipfile.ZipFile(path) as archive:
            names = {name.rpartition("/")[2] for name in archive.namelist()}
    except Exception:  # damaged archives raise many types
        names = set()
    if _KERAS_MEMBER in names:
        return KERAS
    if names.intersection(_PYTORCH_MEMBERS):
        return PYTORCH
    if is_exported_model(path):
        return ARCHIVE
    return _BY_SUFFIX.get(path.suffix.lower(), TFLITE)
