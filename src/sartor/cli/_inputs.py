"""The files that a user names: files, folders, and `-` for standard input."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

__all__ = ["STDIN", "InputFile", "list_inputs", "read_input"]

STDIN = "-"


@dataclass(frozen=True)
class InputFile:
    """A file to predict.

    Attributes:
        path: path of the file; `-` is standard input.
        is_named: whether the user named the file itself, not its folder.
    """

    path: str
    is_named: bool


def list_inputs(paths: Sequence[str]) -> list[InputFile]:
    """Return the files of paths; a folder stands for the visible files in it, at any depth."""
    return [file for path in paths for file in _files(path)]


def read_input(file: InputFile) -> Path | bytes:
    """Return a path, or the bytes of standard input."""
    return sys.stdin.buffer.read() if file.path == STDIN else Path(file.path)


def _files(path: str) -> Iterator[InputFile]:
    if path == STDIN or not Path(path).is_dir():
        yield InputFile(path, True)
        return
    for each in sorted(Path(path).rglob("*")):
        hidden = any(part.startswith(".") for part in each.relative_to(path).parts)
        if not hidden and each.is_file():
            yield InputFile(str(each), False)
