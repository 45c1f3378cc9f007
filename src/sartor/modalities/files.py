"""Arrays in files: `.npy`, and text with numbers such as CSV."""

from __future__ import annotations

import io
import os
import re
import zipfile
from typing import Any

import numpy as np

from .._arguments import as_path
from .._descriptors import read_file
from .._files import check_readable
from ..contract.manifest import InputSpec
from ..errors import DataError

__all__ = ["is_npy", "parse_npy", "parse_npz", "read_array", "read_bytes"]

_NPY = b"\x93NUMPY"
_LARGEST_NPZ = 512 << 20  # bytes
_SEPARATORS = (";", "\t", ",")


def read_bytes(value: object) -> bytes | None:
    """Return the content of a file; None for a value that is no file.

    Args:
        value: a path, bytes, or a binary file object; or any other value.

    Raises:
        DataError: If a file object is not binary, or the path is that of a pipe or a device.
        OSError: If the file does not exist or cannot be read.
    """
    if isinstance(value, str | os.PathLike):
        return read_file(check_readable(as_path(value, "a file"), DataError))
    if isinstance(value, bytes | bytearray | memoryview):
        return bytes(value)
    if not callable(getattr(value, "read", None)):
        return None
    content = value.read()  # type: ignore[attr-defined]
    if not isinstance(content, bytes):
        raise DataError(
            f"the file object returns {type(content).__name__}, expected bytes: open the file "
            "with mode 'rb'"
        )
    return content


def read_array(spec: InputSpec, value: Any) -> Any:
    """Return the array of a file; other values as they are.

    A text file contains one row of numbers per line, separated by commas, semicolons, tabs or
    spaces. A first line without numbers is a header. Its numbers are brought to the shape of the
    input if their rows and columns are those of the input without sizes of 1.

    Args:
        spec: spec of the input.
        value: see `read_bytes`.

    Raises:
        DataError: If the file is neither `.npy` nor text with numbers.
        OSError: If the file does not exist or cannot be read.
    """
    content = read_bytes(value)
    if content is None:
        return value
    name = str(value) if isinstance(value, str | os.PathLike) else ""
    if is_npy(content):
        return parse_npy(content, name)
    array = _parse_text(content, name or "the file")
    if spec.dtype != "float32" and (array == np.rint(array)).all():
        array = array.astype(np.int64)
    sizes = [size for size in array.shape if size > 1]
    return array.reshape(spec.shape) if sizes == [n for n in spec.shape if n > 1] else array


def is_npy(content: bytes) -> bool:
    """Return whether the content of a file is that of a `.npy` file."""
    return content.startswith(_NPY)


def parse_npy(content: bytes, name: str) -> np.ndarray:
    """Return the array of a `.npy` file.

    Args:
        content: content of the file.
        name: name of the file for messages, or an empty text.

    Raises:
        DataError: If the file is damaged, or contains objects.
    """
    try:
        array: np.ndarray = np.load(io.BytesIO(content), allow_pickle=False)
    except Exception as error:  # NumPy raises many types for damaged files
        raise DataError(f"{name or 'the .npy file'} cannot be read: {error}") from error
    return array


def parse_npz(content: bytes) -> dict[str, np.ndarray]:
    """Return the arrays of an `.npz` file by name.

    Raises:
        Exception: If the file is damaged; NumPy and zipfile raise many types.
        ValueError: If it unpacks to more than 512 MB.
    """
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        size = sum(entry.file_size for entry in archive.infolist())
    if size > _LARGEST_NPZ:
        raise ValueError(f"it unpacks to {size >> 20:,} MB, expected at most {_LARGEST_NPZ >> 20}")
    with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
        return dict(arrays)


def _parse_text(content: bytes, name: str) -> np.ndarray:
    """Return the numbers of a text: float64 [rows, columns]."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise DataError(f"{name} is neither an array (.npy) nor text with numbers") from None
    lines = [(number, line) for number, line in enumerate(text.splitlines(), 1) if line.strip()]
    if lines and not any(map(_is_number, _cells(lines[0][1]))):
        del lines[0]
    rows: list[list[float]] = []
    for number, line in lines:
        cells = _cells(line)
        if not all(map(_is_number, cells)) or (rows and len(cells) != len(rows[0])):
            columns = f"{len(rows[0])} numbers" if rows else "numbers"
            raise DataError(f"{name}: line {number} is {line[:60]!r}, expected {columns}")
        rows.append([float(cell) for cell in cells])
    if not rows:
        raise DataError(f"{name} contains no numbers")
    return np.array(rows)


def _cells(line: str) -> list[str]:
    separator = next((each for each in _SEPARATORS if each in line), None)
    return [cell.strip() for cell in line.split(separator)]


def _is_number(cell: str) -> bool:
    return re.fullmatch(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?|nan|NaN|[+-]?inf", cell) is not None
