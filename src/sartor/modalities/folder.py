"""A folder a class: the way in which collections of photos are kept everywhere."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np

from ..contract.manifest import InputSpec
from ..errors import DataError
from .sample import prepare

__all__ = ["prepared", "read_folder"]


def read_folder(folder: str | os.PathLike[str], *, skip: bool = False) -> list[tuple[Path, str]]:
    """List what is in `folder/<class>/`, in the order of the names; hidden files are ignored.

    Args:
        folder: with a folder for each class.
        skip: ignore files that lie beside the class folders.

    Returns:
        Pairs of a file and its class, the name of its folder. The files are not opened.

    Raises:
        DataError: there is no class folder, one is empty or has folders in it, or a file lies
            beside them.
        OSError: the folder is not there, or may not be read.
    """
    classes = _visible(Path(folder))
    beside = [path for path in classes if not path.is_dir()]
    classes = [path for path in classes if path.is_dir()]
    if not classes:
        raise DataError(
            f"{folder} has no folders in it: put the files of each class into a folder with the "
            f"name of the class, as {Path(folder) / 'hat' / 'photo.jpg'}"
        )
    if beside and not skip:
        raise DataError(
            f"{beside[0]} lies beside the folders of the classes: move it into one of them, or away"
        )
    found = []
    for path in classes:
        files = _visible(path)
        if not files:
            raise DataError(f"{path} is empty: put files of the class into it, or remove it")
        for file in files:
            if file.is_dir():
                raise DataError(f"{file} is a folder in the folder of a class: expected files only")
            found.append((file, path.name))
    return found


def prepared(
    specs: Sequence[InputSpec], files: Iterable[tuple[Path, str]], *, skipped: list[Path] | None
) -> Iterator[tuple[dict[str, np.ndarray], str]]:
    """Open files one after another, and make the base's inputs of each.

    Args:
        specs: the inputs.
        files: pairs of a file and its class.
        skipped: collects those that cannot be read; None refuses them.

    Yields:
        Pairs of the inputs (a sample that `PersonalModel` takes) and the class.

    Raises:
        DataError: a file cannot be read, or no file of a class can.
        OSError: likewise.
    """
    lacking: dict[str, None] = {}
    having = set()
    for path, label in files:
        lacking.setdefault(label)
        try:
            inputs = prepare(specs, path)
        except (DataError, OSError):
            if skipped is None:
                raise
            skipped.append(path)
            continue
        having.add(label)
        yield inputs, label
    for label in lacking:
        if label not in having:
            raise DataError(f"no file of the class {label!r} can be read")


def _visible(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if not path.name.startswith("."))
