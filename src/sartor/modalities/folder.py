"""Folders of samples, with one subfolder per class."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np

from ..contract.manifest import InputSpec
from ..errors import DataError
from .sample import prepare

__all__ = ["load_files", "read_folder"]


def read_folder(folder: str | os.PathLike[str], *, skip: bool = False) -> list[tuple[Path, str]]:
    """List the files in `folder/<class>/`, in the order of their names, without hidden files.

    Args:
        folder: folder with one subfolder per class.
        skip: whether to ignore files beside the subfolders. Default: False.

    Returns:
        Pairs of a file and its class, which is the name of its folder. No file is opened.

    Raises:
        DataError: If there is no subfolder, a subfolder is empty or contains folders, or a file
            is beside the subfolders.
        OSError: If the folder does not exist or cannot be read.
    """
    classes = _visible(Path(folder))
    beside = [path for path in classes if not path.is_dir()]
    classes = [path for path in classes if path.is_dir()]
    if not classes:
        raise DataError(
            f"{folder} contains no folder: put the files of each class into a folder with the "
            f"name of the class, such as {Path(folder) / 'hat' / 'photo.jpg'}"
        )
    if beside and not skip:
        raise DataError(
            f"{beside[0]} is beside the folders of the classes: move it into one, or elsewhere"
        )
    pairs = []
    for path in classes:
        files = _visible(path)
        if not files:
            raise DataError(f"{path} is empty: add files of the class, or remove the folder")
        for file in files:
            if file.is_dir():
                raise DataError(
                    f"{file} is a folder inside the folder of a class, which contains files only: "
                    "move its files"
                )
            pairs.append((file, path.name))
    return pairs


def load_files(
    specs: Sequence[InputSpec], files: Iterable[tuple[Path, str]], *, skipped: list[Path] | None
) -> Iterator[tuple[dict[str, np.ndarray], str]]:
    """Load files one after another, and yield the inputs of the base for each.

    Args:
        specs: specs of the base's inputs.
        files: pairs of a file and its class.
        skipped: list to which unreadable files are added. If None, they raise an error.

    Yields:
        Pairs of the inputs (a sample for `PersonalModel`) and the class.

    Raises:
        DataError, OSError: If a file cannot be read, or none of a class.
    """
    labels: dict[str, None] = {}
    readable = set()
    for path, label in files:
        labels.setdefault(label)
        try:
            inputs = prepare(specs, path)
        except (DataError, OSError):
            if skipped is None:
                raise
            skipped.append(path)
            continue
        readable.add(label)
        yield inputs, label
    for label in labels:
        if label not in readable:
            raise DataError(f"no file of the class {label!r} can be read: replace its files")


def _visible(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if not path.name.startswith("."))
