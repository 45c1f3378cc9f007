"""One file with all that a user has: the model, what it has learned, and the samples."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

from ..._files import replacing
from ...errors import DataError

__all__ = ["CHECKPOINT", "MODEL", "SAMPLES", "pack", "unpack", "unpacked"]

MODEL, CHECKPOINT, SAMPLES = "model.tflite", "checkpoint.safetensors", "checkpoint.samples"
"""The names of the files in it."""

_NAMES = {MODEL, CHECKPOINT, SAMPLES}


def pack(folder: Path, path: Path) -> Path:
    """Put the three files of a folder into one: a ZIP archive that compresses nothing.

    Raises:
        OSError: it cannot be written; a file that was there before is left as it was.
    """
    with replacing(path) as temporary, zipfile.ZipFile(temporary, "x") as archive:
        for name in sorted(_NAMES):
            archive.write(folder / name, name)
    return path


@contextlib.contextmanager
def unpacked(path: Path) -> Iterator[Path]:
    """Take a project apart into a folder that is there until the block ends.

    Raises:
        DataError: it is no project, or a damaged one.
        OSError: it is not there, or there is no room to unpack it.
    """
    with tempfile.TemporaryDirectory(prefix="sartor-") as folder:
        try:
            with zipfile.ZipFile(path) as archive:
                _check(archive, path)
                archive.extractall(folder)
        except (zipfile.BadZipFile, EOFError, NotImplementedError, RuntimeError) as error:
            raise DataError(
                f"{path} is no project, or a damaged one: {error}. Give a file that `sartor "
                "export` or `PersonalModel.export_project` has written."
            ) from error
        except OSError as error:
            if error.filename is None:  # a full disk does not say which
                error.filename = folder
            raise
        yield Path(folder)


def unpack(path: str | os.PathLike[str], folder: str | os.PathLike[str]) -> Path:
    """Take a project apart into a new folder, and return it.

    Raises:
        DataError: it is no project, or a damaged one.
        OSError: the project is not there, or the folder is there already.
    """
    target = Path(folder)
    with unpacked(Path(path)) as found:
        target.mkdir()
        for name in sorted(_NAMES):
            shutil.move(found / name, target / name)
    return target


def _check(archive: zipfile.ZipFile, path: Path) -> None:
    """Refuse an archive that holds other files, or that would grow."""
    names = sorted(archive.namelist())
    if names != sorted(_NAMES):
        raise DataError(
            f"{path} is an archive of {', '.join(names[:5]) or 'nothing'}, and no project, which "
            f"has {', '.join(sorted(_NAMES))}"
        )
    if any(entry.compress_type != zipfile.ZIP_STORED for entry in archive.infolist()):
        raise DataError(f"{path} is compressed, which no project is")
