"""CSVs of files and their labels."""

from __future__ import annotations

import codecs
import csv
import io
import math
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from .._descriptors import read_file, read_start
from ..errors import DataError
from .folder import FileLabel, LabelledFile, Listing

__all__ = ["NO_CSV", "has_files", "label_of", "read_labels"]

NO_CSV = (
    "is neither a folder nor a CSV in UTF-8: pass a folder with one subfolder of files for each "
    "class, or save the table as CSV in UTF-8"
)
"""Part of the message about a file that is no CSV."""

_FILE = "file"
_EXAMPLES = {
    "classification": "file,label",
    "multi_label": "file,label,label",
    "regression": "file,NAME,NAME",
}


def read_labels(path: Path, task: str) -> Listing:
    """List the files in a CSV; their paths are relative to its folder.

    The first line is a header, and its first cell is `file`. The other cells of a line are:

    | task | cells after the file |
    |---|---|
    | classification | the class |
    | multi_label | all labels that apply; empty cells are ignored |
    | regression | a number for each name in the header; an empty cell is a missing value |

    Args:
        path: CSV in UTF-8.
        task: task of the model.

    Raises:
        DataError: If a line does not fit the task.
        OSError: If the file cannot be read.
    """
    try:
        text = io.StringIO(read_file(path).decode("utf-8-sig"), newline="")
        lines = [[cell.strip() for cell in line] for line in csv.reader(text)]
    except (UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"{path} {NO_CSV}") from error
    header = lines[0] if lines else []
    if header[:1] != [_FILE] or len(header) < 2:
        raise DataError(
            f"{path} has the first line {','.join(header)[:80]!r}; a CSV of labels for this model "
            f"begins with {_EXAMPLES[task]!r} and names one file per sample"
        )
    files = []
    for number, (name, *cells) in enumerate(filter(any, lines[1:]), 1):
        try:
            files.append(LabelledFile(path.parent / name, label_of(task, header[1:], cells)))
        except ValueError as error:
            raise DataError(f"{path}, row {number} ({name}): {error}") from error
    if not files:
        raise DataError(f"{path} has no line after its header: add one for each file")
    return Listing(tuple(files))


def has_files(path: Path) -> bool:
    """Return whether the first cell of a file is `file`.

    Raises:
        OSError: If it cannot be read.
    """
    start = read_start(path, len(_FILE) + 5).removeprefix(codecs.BOM_UTF8)
    return start.strip(b' "').startswith(_FILE.encode())


def label_of(task: str, header: Sequence[str], cells: Sequence[str]) -> FileLabel:
    """Return the label in the cells of a line.

    Args:
        task: task of the model.
        header: names of the cells.
        cells: cells with the label.

    Raises:
        ValueError: If the cells do not fit the task.
    """
    return _LABELS[task](header, cells)


def _class(header: Sequence[str], cells: Sequence[str]) -> str:
    labels = [cell for cell in cells if cell]
    if len(labels) != 1:
        raise ValueError(
            f"expected one label, got {len(labels)}. For several labels per file, convert the base "
            "with --head multi-label"
        )
    return labels[0]


def _names(header: Sequence[str], cells: Sequence[str]) -> tuple[str, ...]:
    return tuple(sorted({cell for cell in cells if cell}))


def _numbers(header: Sequence[str], cells: Sequence[str]) -> Mapping[str, float]:
    if len(cells) > len(header):
        raise ValueError(f"expected {len(header)} numbers, got {len(cells)}")
    if not all(header):
        raise ValueError("expected a first line with the names of the numbers")
    numbers = {name: float(cell) for name, cell in zip(header, cells, strict=False) if cell}
    if not numbers or not all(map(math.isfinite, numbers.values())):
        raise ValueError(f"expected finite numbers, got {','.join(cells)!r}")
    return numbers


_LABELS: Mapping[str, Callable[[Sequence[str], Sequence[str]], FileLabel]] = {
    "classification": _class,
    "multi_label": _names,
    "regression": _numbers,
}
"""`Manifest.task` → function that returns a label from the header and the cells of a line."""
