"""The archive of a project: a ZIP file of a model, a checkpoint and samples."""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

from ..._descriptors import read_start
from ..._files import check_readable, replacing
from ..._temporary import temporary_folder
from ...errors import DataError
from ...flatbuffer import ZIP_ERRORS

__all__ = ["CHECKPOINT", "MODEL", "SAMPLES", "extract", "pack", "unpacked"]

MODEL, CHECKPOINT, SAMPLES = "model.tflite", "checkpoint.safetensors", "checkpoint.samples"
"""Names of the files in a project."""

_NAMES = {MODEL, CHECKPOINT, SAMPLES}
_DATE = (1980, 1, 1, 0, 0, 0)  # the earliest date of a ZIP: the clock may be outside its range
_CHUNK = 1 << 20  # bytes
_ADVICE = "Give a file from `sartor export` or `PersonalModel.export_project`."
_SQLITE = b"SQLite format 3\0"
_BINARY = getattr(os, "O_BINARY", 0)  # Windows only


def pack(folder: Path, path: Path) -> Path:
    """Write a project, an uncompressed ZIP archive, atomically, and return its path.

    Args:
        folder: temporary folder with the three files.
        path: path of the project.

    Raises:
        OSError: If the project cannot be written; an old file stays.
    """
    with (
        replacing(path, private=True, folder=folder) as temporary,
        zipfile.ZipFile(temporary, "w") as archive,
    ):
        for name in sorted(_NAMES):
            entry = zipfile.ZipInfo(name, _DATE)
            entry.external_attr = 0o600 << 16
            entry.file_size = (folder / name).stat().st_size
            with open(folder / name, "rb") as source, archive.open(entry, "w") as target:
                shutil.copyfileobj(source, target, _CHUNK)
    return path


@contextlib.contextmanager
def unpacked(path: Path, beside: Path | None = None) -> Iterator[Path]:
    """Unpack a project into a temporary folder, which the end of the `with` block deletes.

    Args:
        path: path of the project.
        beside: path of the file beside which the folder is created. Default: the project.

    Yields:
        The folder with the three files.

    Raises:
        DataError: If the file is not a project, or is damaged.
        OSError: If the file does not exist, or the disk is full.
    """
    if path.is_dir():  # before a name is made of it: "." has none
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    anchor = path if beside is None else beside
    if not os.access(anchor.absolute().parent, os.W_OK):
        anchor = Path(tempfile.gettempdir()) / anchor.name
    with temporary_folder(anchor) as folder:
        extract(path, folder)
        yield folder


def extract(path: Path, folder: Path) -> None:
    """Unpack a project into an existing folder; see `unpacked`."""
    check_readable(path, DataError)
    if read_start(path, len(_SQLITE)) == _SQLITE:  # a store that is open must not be opened again
        raise DataError(f"{path} is a sample store, not a project. {_ADVICE}")
    with open(path, "rb") as file:
        with _damages(path):
            archive = zipfile.ZipFile(file)
        _check(archive, path)
        for name in sorted(_NAMES):
            handle = os.open(folder / name, os.O_CREAT | os.O_EXCL | os.O_WRONLY | _BINARY, 0o600)
            with open(handle, "wb") as target:
                for chunk in _chunks(archive, name, path):
                    target.write(chunk)


@contextlib.contextmanager
def _damages(path: Path) -> Iterator[None]:
    """Raise DataError for an error that a damaged archive causes."""
    try:
        yield
    except ZIP_ERRORS as error:
        raise DataError(f"{path} is not a project, or is damaged: {error}. {_ADVICE}") from error
    except OSError as error:
        if error.errno != errno.EINVAL:  # that of a wrong offset
            error.filename = error.filename or str(path)
            raise
        raise DataError(f"{path} is not a project, or is damaged: {error}. {_ADVICE}") from error


def _chunks(archive: zipfile.ZipFile, name: str, path: Path) -> Iterator[bytes]:
    """Yield the content of a file of an archive; its checksum is compared."""
    with _damages(path), archive.open(name) as source:
        while chunk := source.read(_CHUNK):
            yield chunk


def _check(archive: zipfile.ZipFile, path: Path) -> None:
    """Raise DataError if an archive has other files, or compressed ones."""
    names = sorted(archive.namelist())
    if names != sorted(_NAMES):
        raise DataError(
            f"{path} is an archive of {', '.join(names[:5]) or 'nothing'}, not a project: expected "
            f"{', '.join(sorted(_NAMES))}"
        )
    if any(entry.compress_type != zipfile.ZIP_STORED for entry in archive.infolist()):
        raise DataError(f"{path} is compressed; a project is an uncompressed archive")
