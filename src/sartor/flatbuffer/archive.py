"""The ZIP archive after the flatbuffer of a `.tflite` file: associated files, such as labels."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from collections.abc import Mapping

from ..errors import InvalidModelError
from .decode import DAMAGED

__all__ = ["ZIP_ERRORS", "append_files", "files_start", "read_files"]

_SMALLEST = 22  # bytes of a ZIP without files
_ENTRY = b"PK\x03\x04"
_STORED_ENTRY = _ENTRY + b"\x14\0"  # the plain classifier can stand before it
_MAX_PADDING = 4096  # bytes between the flatbuffer and the ZIP
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_MAX_CONTENT = 64 << 20
_DATE = (1980, 1, 1, 0, 0, 0)  # the earliest date of a ZIP: the file must not depend on the clock
ZIP_ERRORS = (
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    EOFError,
    IndexError,
    NotImplementedError,
    OverflowError,
    RuntimeError,
    ValueError,
)
"""Errors of `zipfile` that a damaged archive causes; OSError too, for a wrong offset."""


def read_files(data: bytes, end: int) -> dict[str, bytes]:
    """Return the files of the ZIP after byte `end`: name → content.

    Other content (padding, buffers outside the flatbuffer) is ignored.

    Raises:
        InvalidModelError: If the ZIP is damaged, encrypted or unreasonably large.
    """
    stream = io.BytesIO(data)
    if len(data) - end < _SMALLEST or not zipfile.is_zipfile(stream):
        tail = data[end : end + _MAX_PADDING]
        start = tail.lstrip(b"\0")[: len(_ENTRY)]
        cut = len(tail) < _MAX_PADDING and start and _ENTRY.startswith(start)
        if cut or start == _ENTRY or data.find(_STORED_ENTRY, end) >= 0:
            raise InvalidModelError(f"the files after the model are cut off. {DAMAGED}")
        return {}
    try:
        with zipfile.ZipFile(stream) as archive:
            entries = archive.infolist()
            _check_entries(entries, len(data), end)
            return {entry.filename: archive.read(entry) for entry in entries}
    except (*ZIP_ERRORS, OSError) as error:
        raise InvalidModelError(f"the files after the model: {error}. {DAMAGED}") from error


def files_start(data: bytes) -> int:
    """Return the offset of the ZIP after a flatbuffer; the file must have one."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return min(entry.header_offset for entry in archive.infolist())


def append_files(model: bytes, files: Mapping[str, bytes]) -> bytes:
    """Return a flatbuffer followed by a ZIP of uncompressed files.

    The same files always give the same bytes.
    """
    if not files:
        return model
    stream = io.BytesIO()
    stream.write(model)
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_STORED) as archive:
        for name, content in files.items():
            entry = zipfile.ZipInfo(name, _DATE)
            entry.create_system = 3  # else it depends on the operating system
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, content)
    return stream.getvalue()


def _check_entries(entries: list[zipfile.ZipInfo], size: int, end: int) -> None:
    for entry in entries:
        if entry.compress_type not in _METHODS or entry.flag_bits & 1:
            raise InvalidModelError(
                f"the file {entry.filename!r} after the model is encrypted or compressed with "
                f"method {entry.compress_type}, expected stored or deflated. Pack it again."
            )
        if entry.header_offset < end:
            raise InvalidModelError(
                f"the file {entry.filename!r} starts within the flatbuffer. {DAMAGED}"
            )
    total = sum(entry.file_size for entry in entries)
    if total > max(_MAX_CONTENT, 16 * size):
        raise InvalidModelError(
            f"the files after the model unpack to {total} bytes, expected at most "
            f"{max(_MAX_CONTENT, 16 * size)}. Do not trust this file."
        )
