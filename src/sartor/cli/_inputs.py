"""The files that a user names: files, folders, and `-` for standard input."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import DataError

if TYPE_CHECKING:
    import numpy as np

    from ..contract.manifest import InputSpec

__all__ = ["STDIN", "InputFile", "list_inputs", "list_samples", "read_input"]

STDIN = "-"


@dataclass(frozen=True)
class InputFile:
    """A file to predict.

    Attributes:
        path: path of the file; `-` is standard input.
        is_named: whether the user named the file itself, not its folder.
        values: array of a line of a CSV. Default: None, for a file.
        error: why a CSV cannot be read. Default: None.
    """

    path: str
    is_named: bool
    values: np.ndarray | None = None
    error: Exception | None = None


def list_inputs(paths: Sequence[str]) -> list[InputFile]:
    """Return the files of paths; a folder stands for the visible files in it, at any depth."""
    return [file for path in paths for file in _files(path)]


def list_samples(file: InputFile, specs: Sequence[InputSpec]) -> list[InputFile]:
    """Return the samples in a file: of a CSV with a sample per line, all of them.

    Args:
        file: a file.
        specs: specs of the inputs of the model.

    """
    from ..modalities import read_windows

    if file.path == STDIN or not Path(file.path).is_file():
        return [file]
    try:
        windows = read_windows(Path(file.path), specs)
    except (DataError, OSError) as error:  # the other files are predicted
        return [replace(file, error=error)]
    return [InputFile(str(name), file.is_named, values) for name, values in windows] or [file]


def read_input(file: InputFile) -> Path | bytes | np.ndarray:
    """Return a path, an array, or the bytes of standard input; raise `file.error`."""
    if file.error is not None:
        raise file.error
    if file.values is not None:
        return file.values
    return sys.stdin.buffer.read() if file.path == STDIN else Path(file.path)


def _files(path: str) -> Iterator[InputFile]:
    if path == STDIN or not Path(path).is_dir():
        yield InputFile(path, True)
        return
    for each in sorted(Path(path).rglob("*")):
        hidden = any(part.startswith(".") for part in each.relative_to(path).parts)
        if not hidden and each.is_file():
            yield InputFile(str(each), False)
