"""Files with an invalid ZIP after the model are refused."""

from __future__ import annotations

import io
import struct
import zipfile
from collections.abc import Callable

import flatbuffer_samples as samples
import numpy as np
import pytest
from table_changes import VALID

from sartor.errors import InvalidModelError
from sartor.flatbuffer import append_files, read, write


def with_zip(build: Callable[[zipfile.ZipFile], None]) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        build(archive)
    return VALID + stream.getvalue()


def zeros(archive: zipfile.ZipFile) -> None:
    archive.writestr("zeros", bytes(100 << 20), zipfile.ZIP_DEFLATED)


def bzip2(archive: zipfile.ZipFile) -> None:
    archive.writestr("a", b"b" * 100, zipfile.ZIP_BZIP2)


def test_a_zip_bomb_is_refused() -> None:
    with pytest.raises(InvalidModelError, match="unpack to 104857600 bytes, expected at most"):
        read(with_zip(zeros))


def test_a_zip_of_another_compression_method_is_refused() -> None:
    with pytest.raises(InvalidModelError, match="method 12, expected stored or deflated"):
        read(with_zip(bzip2))


def test_an_encrypted_zip_is_refused() -> None:
    content = bytearray(append_files(VALID, {"a": b"b"}))
    content[content.rindex(b"PK\x01\x02") + 8] |= 1
    with pytest.raises(InvalidModelError, match="is encrypted"):
        read(bytes(content))


def test_a_damaged_zip_is_refused() -> None:
    content = bytearray(append_files(VALID, {"labels.txt": b"cat\ndog\n"}))
    content[content.rindex(b"cat")] ^= 1
    with pytest.raises(InvalidModelError, match="the files after the model: Bad CRC-32"):
        read(bytes(content))


def test_a_truncated_zip_is_refused() -> None:
    content = append_files(VALID, {"labels.txt": b"cat\ndog\n"})
    with pytest.raises(InvalidModelError, match="the files after the model are cut off"):
        read(content[:-30])


def test_a_zip_that_overlaps_the_model_is_refused() -> None:
    inner = io.BytesIO()
    with zipfile.ZipFile(inner, "w") as archive:
        archive.writestr("a", b"b")
    start = inner.getvalue().index(b"PK\x01\x02")
    entry, directory = inner.getvalue()[:start], inner.getvalue()[start:]
    entry = entry.ljust(-(-start // 4) * 4, b"\0")
    model = samples.sums()
    model.files = {}
    model.main.constant(np.frombuffer(entry, np.uint8), "entry")
    content = write(model)
    position = content.index(entry)
    patched = bytearray(directory)
    struct.pack_into("<I", patched, 42, position)
    end = bytes(patched).index(b"PK\x05\x06")
    struct.pack_into("<I", patched, end + 16, len(content))
    with pytest.raises(InvalidModelError, match="'a' starts within the flatbuffer"):
        read(content + bytes(patched))


def test_bytes_after_a_model_that_are_not_a_zip_are_ignored() -> None:
    assert read(VALID + bytes(100)).files == {}
    assert read(VALID + b"a signature of another tool").files == {}
