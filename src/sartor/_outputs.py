"""Output files: the checks before one is written, so that no file is lost."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from ._arguments import as_path
from ._descriptors import read_start
from .errors import OutputError

__all__ = ["CHART", "CHECKPOINT", "MODEL", "PROJECT", "check_output"]

CHART = "a chart"
CHECKPOINT = "a checkpoint"
MODEL = "a .tflite model"
PROJECT = "a project"

_HEAD = 512  # bytes that identify the type of a file
_TYPES: Mapping[str, Callable[[bytes], bool]] = {
    MODEL: lambda head: head[4:8] == b"TFL3",
    CHECKPOINT: lambda head: head[8:10] == b'{"' and head[4:8] == bytes(4),
    PROJECT: lambda head: head.startswith(b"PK\x03\x04"),
    "a sample store": lambda head: head.startswith(b"SQLite format 3\0"),
    CHART: lambda head: (  # not a photo of the user
        head.startswith(b"<svg") or (head.startswith(b"\x89PNG") and b"Software\0Sartor" in head)
    ),
}


def check_output(
    path: str | os.PathLike[str],
    file_type: str,
    *,
    inputs: Iterable[str | os.PathLike[str] | None] = (),
    force: bool | None = False,
) -> Path:
    """Check that an output file may be written, and return its path.

    Args:
        path: path of the output file.
        file_type: type of the output: `MODEL`, `CHECKPOINT`, `PROJECT` or `CHART`.
        inputs: paths of the inputs of the same operation; None is skipped.
        force: whether to replace a file of another type; None if the user has no such option.
            Default: False.

    Raises:
        OutputError: If the folder does not exist, or the path is an input, is not a regular file,
            or is a file of another type and `force` is False.
        OSError: If the path cannot be read.
    """
    target = as_path(path, "the output")
    if not target.absolute().parent.is_dir():
        raise OutputError(
            f"the folder {target.absolute().parent} does not exist: create it, then repeat the "
            "command"
        )
    for each in inputs:
        if each is not None and _is_same_file(target, as_path(each, "an input")):
            raise OutputError(f"{target} is an input of this operation: choose another output")
    if not target.exists():
        return target
    if not stat.S_ISREG(target.stat().st_mode):
        raise OutputError(f"{target} is not a regular file: choose another output")
    existing = _identify(target)
    if existing != file_type and not force:
        raise OutputError(
            f"{target} exists and is {existing}, not {file_type}: choose another output"
            + (", or replace it with --force (in Python: force=True)" if force is False else "")
        )
    return target


def _is_same_file(first: Path, second: Path) -> bool:
    if first.exists() and second.exists():
        return first.samefile(second)
    try:
        return os.path.realpath(first) == os.path.realpath(second)
    except ValueError:  # a zero byte, which the reader of the input reports
        return False


def _identify(path: Path) -> str:
    """Return the type of a file, judged by its first bytes."""
    head = read_start(path, _HEAD)
    return next((name for name, matches in _TYPES.items() if matches(head)), "another file")
