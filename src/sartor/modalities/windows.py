"""CSVs of numbers: one sample per line, such as a window of a sensor, with or without its label."""

from __future__ import annotations

import csv
import io
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from .._descriptors import read_file
from ..contract.manifest import InputSpec
from ..contract.names import TENSOR
from ..errors import DataError
from .folder import LabelledFile, Listing
from .labels import NO_CSV, label_of

__all__ = ["read_labelled_windows", "read_windows"]

_LABEL_NAMES = ("class", "label")
_SEPARATORS = (";", "\t", ",")
_DECIMAL_COMMA = re.compile(r"[+-]?\d+,\d+")
_LARGEST = float(np.finfo(np.float32).max)


@dataclass(frozen=True)
class _Table:
    """The cells of a CSV.

    Attributes:
        path: path of the file.
        header: name of each column; empty if the file has no header.
        lines: line number → cells.
    """

    path: Path
    header: list[str]
    lines: dict[int, list[str]]

    @property
    def width(self) -> int:
        """Number of columns."""
        return len(self.header or next(iter(self.lines.values()), []))

    def split(self, size: int) -> tuple[list[int], list[int]]:
        """Return the positions of the numbers and of the labels.

        The labels have the name `label` or `class`, or are the last columns; or the first one, if
        the file has no header and only its first cell is text.

        Args:
            size: number of numbers.
        """
        cells, names = next(iter(self.lines.values())), [name.casefold() for name in self.header]
        columns = [column for column in range(self.width) if not names or names[column]]
        labels = [column for column in columns if names and names[column] in _LABEL_NAMES]
        if not labels:
            is_first = not names and not _is_number(cells[0]) and _is_number(cells[-1])
            labels = columns[:1] if is_first and len(columns) == size + 1 else columns[size:]
        return [column for column in columns if column not in labels], labels

    def check(self) -> None:
        """Raise DataError if a line has another number of cells than the first one."""
        for line, cells in self.lines.items():
            if len(cells) != self.width:
                raise DataError(
                    f"{self.path}, line {line}: expected {self.width} columns, got {len(cells)}"
                )

    def numbers(self, line: int, columns: Sequence[int]) -> list[float]:
        """Return the numbers of a line.

        Raises:
            DataError: If a cell has no finite number.
        """
        numbers = []
        for column in columns:
            cell = self.lines[line][column]
            if not _is_number(cell):
                name = f" ({self.header[column]})" if self.header else ""
                point = " with a decimal point" if _DECIMAL_COMMA.fullmatch(cell) else ""
                raise DataError(
                    f"{self.path}, line {line}, column {column + 1}{name}: expected a float32 "
                    f"number{point}, got {cell[:40]!r}"
                )
            numbers.append(float(cell))
        return numbers


def read_labelled_windows(path: Path, spec: InputSpec, task: str) -> Listing:
    """Return the samples of a CSV with one sample and its label per line.

    Args:
        path: CSV in UTF-8; the separator is a comma, a semicolon or a tab. A line has the numbers
            of the input, row by row, and the label: in the column `label` or `class`, or in the
            last one. A header is optional. A column without a name, such as an index, is ignored.
        spec: spec of the input, a tensor.
        task: task of the model.

    Raises:
        DataError: If a line does not fit the input or the task.
        OSError: If the file cannot be read.
    """
    table, size = _read_table(path), _size(spec)
    if not table.lines:
        raise DataError(f"{path} has no line with numbers: add one for each sample")
    table.check()
    columns, labels = table.split(size)
    if not labels or len(columns) != size:
        raise DataError(
            f"{path} has {table.width} columns; expected {size} numbers, which are the values of "
            f"{spec.name} {list(spec.shape)} row by row, and a column 'label'; or the first line "
            "'file,label' and one file per sample"
        )
    names = [table.header[column] if table.header else "" for column in labels]
    files = []
    for line, cells in table.lines.items():
        values = _shaped(spec, table.numbers(line, columns))
        try:
            label = label_of(task, names, [cells[column] for column in labels])
        except ValueError as error:
            raise DataError(f"{path}, line {line}: {error}") from error
        files.append(LabelledFile(_name(path, line), label, values=values, line=line))
    return Listing(tuple(files))


def read_windows(path: Path, specs: Sequence[InputSpec]) -> list[tuple[Path, np.ndarray]]:
    """Return name and array of each sample of a CSV, without its label.

    Returns:
        An empty list if the file is no such CSV; it may contain one sample.

    Raises:
        DataError: If a line has other columns than the first one, or a text instead of a number.
    """
    if len(specs) != 1 or specs[0].modality != TENSOR or path.suffix.lower() != ".csv":
        return []
    spec, size = specs[0], _size(specs[0])
    try:
        table = _read_table(path)
    except DataError:  # a text in another encoding, which the reader of one sample reports
        return []
    if table.width < size or len(table.lines) * table.width <= size:
        return []
    columns, _ = table.split(size)
    if len(columns) != size:
        return []
    table.check()
    return [
        (_name(path, line), _shaped(spec, table.numbers(line, columns))) for line in table.lines
    ]


def _read_table(path: Path) -> _Table:
    """Return the cells of a file.

    Raises:
        DataError: If it is no CSV.
        OSError: If it cannot be read.
    """
    lines = {}
    try:
        text = read_file(path).decode("utf-8-sig")
        start = text.lstrip().partition("\n")[0]
        separator = next((each for each in _SEPARATORS if each in start), ",")
        reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator)
        for cells in reader:
            if any(map(str.strip, cells)):
                lines[reader.line_num] = [cell.strip() for cell in cells]
    except (UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"{path} {NO_CSV}") from error
    first = next(iter(lines), 0)
    header = lines.pop(first) if lines and _is_header(lines[first]) else []
    return _Table(path, header, lines)


def _is_header(cells: Sequence[str]) -> bool:
    is_named = any(cell.casefold() in _LABEL_NAMES for cell in cells)
    return is_named or not any(map(_is_number, cells))


def _is_number(cell: str) -> bool:
    try:
        return abs(float(cell)) <= _LARGEST
    except ValueError:
        return False


def _size(spec: InputSpec) -> int:
    return math.prod(spec.shape)


def _shaped(spec: InputSpec, numbers: Sequence[float]) -> np.ndarray:
    """Return an array of the shape of the input; whole numbers as integers for its dtype."""
    array = np.array(numbers).reshape(spec.shape)
    if spec.dtype != "float32" and (array == np.rint(array)).all():
        return array.astype(np.int64)
    return array


def _name(path: Path, line: int) -> Path:
    return Path(f"{path}:{line}")
