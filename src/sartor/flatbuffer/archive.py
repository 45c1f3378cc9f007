"""The ZIP that a `.tflite` file may carry behind its flatbuffer: label files and the like."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from collections.abc import Mapping

from ..errors import InvalidModelError
from .decode import DAMAGED

__all__ = ["append_files", "files_start", "read_files"]

_SMALLEST = 22  # bytes of a ZIP without files
_ENTRY = b"PK\x03\x04"
_PADDING = 4096  # at most, between the flatbuffer and the ZIP
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_MOST = 64 << 20
_DATE = (1980, 1, 1, 0, 0, 0)  # the earliest that a ZIP can state: a file must not depend on when
_ERRORS = (
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    EOFError,
    IndexError,
    NotImplementedError,
    OSError,
    OverflowError,
    RuntimeError,
    ValueError,
)


def read_files(data: bytes, end: int) -> dict[str, bytes]:
    """Return the files of the ZIP behind byte `end`: name → content.

    What stands there and is no ZIP (padding, buffers outside the flatbuffer) is ignored.

    Raises:
        InvalidModelError: there is a ZIP, but a damaged, encrypted or absurd one.
    """
    stream = io.BytesIO(data)
    if len(data) - end < _SMALLEST or not zipfile.is_zipfile(stream):
        tail = data[end : end + _PADDING]
        start = tail.lstrip(b"\0")[: len(_ENTRY)]
        cut = len(tail) < _PADDING and start and _ENTRY.startswith(start)
        if cut or start == _ENTRY:
            raise InvalidModelError(f"the files behind the model are cut off. {DAMAGED}")
        return {}
    try:
        with zipfile.ZipFile(stream) as archive:
            entries = archive.infolist()
            _check_entries(entries, len(data), end)
            return {entry.filename: archive.read(entry) for entry in entries}
    except _ERRORS as error:
        raise InvalidModelError(f"the files behind the model: {error}. {DAMAGED}") from error


def files_start(data: bytes) -> int:
    """Where the ZIP behind a flatbuffer starts, of a file that has one."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return min(entry.header_offset for entry in archive.infolist())


def append_files(model: bytes, files: Mapping[str, bytes]) -> bytes:
    """Return a flatbuffer with files behind it, stored as they are.

    The same files give the same bytes, whenever it is done.
    """
    if not files:
        return model
    stream = io.BytesIO()
    stream.write(model)
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_STORED) as archive:
        for name, content in files.items():
            entry = zipfile.ZipInfo(name, _DATE)
            entry.create_system = 3  # else it would tell the operating system
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, content)
    return stream.getvalue()


def _check_entries(entries: list[zipfile.ZipInfo], size: int, end: int) -> None:
    for entry in entries:
        if entry.compress_type not in _METHODS or entry.flag_bits & 1:
            raise InvalidModelError(
                f"the file {entry.filename!r} behind the model is encrypted or compressed with "
                f"method {entry.compress_type}, expected stored or deflated. Pack it again."
            )
        if entry.header_offset < end:
            raise InvalidModelError(
                f"the file {entry.filename!r} starts within the flatbuffer. {DAMAGED}"
            )
    total = sum(entry.file_size for entry in entries)
    if total > max(_MOST, 16 * size):
        raise InvalidModelError(
            f"the files behind the model unfold to {total} bytes, expected at most "
            f"{max(_MOST, 16 * size)}. Do not trust this file."
        )
