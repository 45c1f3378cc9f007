"""The archive of a project: a ZIP file of a model, a checkpoint and samples."""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import struct
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

from ..._arguments import as_path
from ..._files import check_readable, replacing
from ...errors import DataError

__all__ = ["CHECKPOINT", "MODEL", "SAMPLES", "pack", "unpack", "unpacked"]

MODEL, CHECKPOINT, SAMPLES = "model.tflite", "checkpoint.safetensors", "checkpoint.samples"
"""Names of the files in a project."""

_DAMAGED = (
    zipfile.BadZipFile, struct.error, EOFError, NotImplementedError, RuntimeError, ValueError,
)  # fmt: skip

_NAMES = {MODEL, CHECKPOINT, SAMPLES}


def pack(folder: Path, path: Path) -> Path:
    """Write a project, an uncompressed ZIP archive, atomically, and return its path.

    Args:
        folder: folder with the three files.
        path: path of the project.

    Raises:
        OSError: If the project cannot be written; an old file stays.
    """
    with (
        replacing(path, private=True) as temporary,
        zipfile.ZipFile(temporary, "w") as archive,
    ):
        for name in sorted(_NAMES):
            archive.write(folder / name, name)
    return path


@contextlib.contextmanager
def unpacked(path: Path) -> Iterator[Path]:
    """Unpack a project into a temporary folder, which the end of the `with` block deletes.

    Yields:
        The folder with the three files.

    Raises:
        DataError: If the file is not a project, or is damaged.
        OSError: If the file does not exist, or the disk is full.
    """
    check_readable(path, DataError)
    with tempfile.TemporaryDirectory(prefix="sartor-") as folder:
        try:
            with zipfile.ZipFile(path) as archive:
                _check(archive, path)
                archive.extractall(folder)
        except _DAMAGED as error:
            raise _damaged(path, error) from error
        except OSError as error:
            if error.errno == errno.EINVAL:  # an offset before the start of the file
                raise _damaged(path, error) from error
            if error.filename is None:  # as for a full disk
                error.filename = folder
            raise
        yield Path(folder)


def _damaged(path: Path, error: Exception) -> DataError:
    return DataError(
        f"{path} is not a project, or is damaged: {error}. Give a file from `sartor export` or "
        "`PersonalModel.export_project`."
    )


def unpack(path: str | os.PathLike[str], folder: str | os.PathLike[str]) -> Path:
    """Unpack a project into a new folder, and return the folder.

    Raises:
        DataError: If the file is not a project, or is damaged.
        OSError: If the file does not exist, or the folder exists already.
    """
    target = as_path(folder, "folder")
    with unpacked(as_path(path, "path")) as source:
        target.mkdir()
        for name in sorted(_NAMES):
            shutil.move(source / name, target / name)
    return target


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
