"""Folders of samples, with one subfolder per class."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias

import numpy as np

from ..errors import DataError

__all__ = ["FileLabel", "LabelledFile", "Listing", "read_folder"]

FileLabel: TypeAlias = "str | tuple[str, ...] | Mapping[str, float]"
"""A class name; the names of all labels that apply; or name → number, for regression."""

_SYSTEM_FILES = ("desktop.ini", "Thumbs.db")
_TRAINING = "train"
_VALIDATION = ("validation", "val", "valid")


@dataclass(frozen=True)
class LabelledFile:
    """A file, or a line of a CSV, and its label. No file is opened.

    Attributes:
        path: path of the file; of a line, that of the CSV with the number of the line.
        label: label of the file.
        held_out: whether the file is a validation sample; None if the source does not say so.
        values: array of the line. None for a file.
        line: number of the line. 0 for a file.
    """

    path: Path
    label: FileLabel
    held_out: bool | None = None
    values: np.ndarray | None = field(default=None, compare=False)
    line: int = 0

    @property
    def sample(self) -> Path | np.ndarray:
        """The sample, as `PersonalModel.add_sample` takes it."""
        return self.path if self.values is None else self.values


@dataclass(frozen=True)
class Listing:
    """The labelled files of a folder or a CSV.

    Attributes:
        files: the files, in the order of their names or of the CSV.
        skipped: files and folders that are no samples: beside the folders of the classes, nested
            or empty.
    """

    files: tuple[LabelledFile, ...]
    skipped: tuple[Path, ...] = ()


def read_folder(folder: str | os.PathLike[str]) -> Listing:
    """List the files in `folder/<class>/`, in the order of their names, without hidden files.

    A folder that contains `train` and `validation` (or `val`, `valid`) contains one folder per
    class in each of them; the files in `validation` are held out.

    Args:
        folder: folder with one subfolder per class.

    Raises:
        DataError: If it is no folder, no subfolder contains a file, or a class is in `validation`
            only.
        OSError: If the folder does not exist or cannot be read.
    """
    folder = Path(folder)
    if folder.exists() and not folder.is_dir():
        raise DataError(
            f"{folder} is neither a folder nor a CSV file: pass a folder with one subfolder of "
            "files for each class"
        )
    parts = _parts(folder)
    if parts is None:
        return _read_classes(folder, None)
    training, validation = _read_classes(parts[0], False), _read_classes(parts[1], True)
    labels = {file.label for file in training.files}
    for file in validation.files:
        if file.label not in labels:
            raise DataError(
                f"{parts[1]} has the class {file.label!r}, and {parts[0]} has not: add photos of "
                "the class to both"
            )
    others = [path for path in _visible(folder) if path not in parts]
    return Listing(
        (*training.files, *validation.files), (*others, *training.skipped, *validation.skipped)
    )


def _parts(folder: Path) -> tuple[Path, Path] | None:
    """Return the folders of the training and the validation files, if there are both."""
    training = folder / _TRAINING
    for name in _VALIDATION:
        validation = folder / name
        if all(each.is_dir() and _folders(each) for each in (training, validation)):
            return training, validation
    return None


def _read_classes(folder: Path, held_out: bool | None) -> Listing:
    """List `folder/<class>/<file>`."""
    skipped, files = [], []
    for path in _visible(folder):
        content = _visible(path) if path.is_dir() else []
        nested = [each for each in content if each.is_dir()]
        if len(nested) == len(content):
            skipped.append(path)  # a file, or a folder without files
            continue
        skipped += nested
        files += [LabelledFile(each, path.name, held_out) for each in content if each not in nested]
    if not files:
        raise DataError(
            f"{folder} contains no folder with files: put the files of each class into a folder "
            f"with the name of the class, such as {folder / 'hat' / 'photo.jpg'}"
        )
    return Listing(tuple(files), tuple(skipped))


def _folders(folder: Path) -> list[Path]:
    return [path for path in _visible(folder) if path.is_dir()]


def _visible(folder: Path) -> list[Path]:
    return sorted(
        path
        for path in folder.iterdir()
        if not path.name.startswith(".") and path.name not in _SYSTEM_FILES
    )
