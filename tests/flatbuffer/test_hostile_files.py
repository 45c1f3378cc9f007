"""Files that are not models, truncated files and files that expand are refused."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import flatbuffer_samples as samples
import numpy as np
import pytest
from flatbuffer_helpers import MODELS
from table_changes import VALID, ints

from sartor.errors import InvalidModelError
from sartor.flatbuffer import append_files, read, write
from sartor.flatbuffer.encode import Encoder
from sartor.flatbuffer.layout import Record
from sartor.flatbuffer.schema import TFLITE


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "expected a .tflite model, .* got 0 bytes that begin with b''. Check"),
        (b"TFL3", "got 4 bytes"),
        (b"\0\0\0\0TFL3", "the offset of Model is 0"),
        (b"\x08\0\0\0TFL3", "Model takes 4 bytes from byte 8 on"),
        (b"\xff\xff\xff\xffTFL3", "the offset of Model is 4294967295"),
        (b"\x08\0\0\0TFL3" + bytes(8), "the vtable of Model has 0 bytes"),
        (b"\x0a\0\0\0TFL3" + bytes(8), "expected a multiple of 4"),
        (VALID[:4] + b"XXXX" + VALID[8:], "XXXX'. Check the path"),
        (bytes(1000), "b'TFL3' at byte 4; got 1000 bytes"),
        (b"<!DOCTYPE html><html>", "begin with b'<!DOCTYP'.* download it again"),
    ],
)
def test_bytes_that_are_not_a_model_are_refused(content: bytes, message: str) -> None:
    with pytest.raises(InvalidModelError, match=message):
        read(content)


def test_paths_that_are_not_a_model_are_refused(tmp_path: Path) -> None:
    missing = tmp_path / "missing.tflite"
    with pytest.raises(InvalidModelError, match=r"missing\.tflite does not exist, expected a file"):
        read(missing)
    with pytest.raises(InvalidModelError, match="is a directory, expected a file"):
        read(str(tmp_path))
    with pytest.raises(InvalidModelError, match="must be a path"):
        read("a\0b")
    empty = tmp_path / "empty.tflite"
    empty.touch()
    with pytest.raises(InvalidModelError, match=r"empty\.tflite: expected a .tflite model"):
        read(empty)


def test_a_file_larger_than_a_flatbuffer_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "large.tflite"
    with path.open("wb") as file:
        file.truncate(2**31)
    with pytest.raises(InvalidModelError, match="expected fewer than 2 GiB"):
        read(path)


@pytest.mark.parametrize("build", [samples.sums, samples.control_flow], ids=lambda b: b.__name__)
def test_a_truncated_file_is_refused_or_loses_whole_files_only(build: Callable[[], Any]) -> None:
    content = write(build())
    complete = read(content)
    for length in [*range(0, len(content), 7), *range(len(content) - 40, len(content))]:
        try:
            model = read(content[:length])
        except InvalidModelError:
            continue
        # The file is valid only if all files after the model are missing.
        assert length == len(content) - len(append_files(b"", complete.files))
        assert model.files == {}


@pytest.mark.parametrize("path", MODELS, ids=lambda path: path.stem)
def test_a_truncated_real_file_is_refused(path: Path) -> None:
    content = path.read_bytes()
    for missing in (1, 2, 3, 8, 100, 5000, len(content) // 2, len(content) - 20):
        with pytest.raises(InvalidModelError):
            read(content[:-missing])


def file_of(encoder: Encoder, **fields: object) -> bytes:
    """Return a file of tables that are already encoded."""
    record: Record = {"version": 3, "buffers": [{}], **fields}
    return encoder.finish(encoder.table("Model", record), b"TFL3")


def shared_tensors(encoder: Encoder) -> bytes:
    """Return half a megabyte that expands to a hundred million tensors."""
    tensor = encoder.table("Tensor", {"shape": ints(1)})
    graph = encoder.table("SubGraph", {"tensors": [tensor] * 1000})
    return file_of(encoder, subgraphs=[graph] * 100_000)


def shared_names(encoder: Encoder) -> bytes:
    """Return a file with a long name that many tensors share."""
    tensor = encoder.table("Tensor", {"name": "n" * 100_000})
    return file_of(encoder, subgraphs=[{"tensors": [tensor] * 10_000}])


def shared_inputs(encoder: Encoder) -> bytes:
    """Return a file with a long list of inputs that many ops share."""
    tensor = encoder.table("Tensor", {})
    ops = [encoder.table("Operator", {"inputs": np.zeros(100_000, np.int32)})] * 10_000
    return file_of(encoder, subgraphs=[{"tensors": [tensor], "operators": ops}])


def shared_metadata(encoder: Encoder) -> bytes:
    """Return a file with a large buffer that many metadata entries share."""
    buffer = encoder.table("Buffer", {"data": bytes(1_000_000)})
    entries = [{"name": str(index), "buffer": 0} for index in range(10_000)]
    return file_of(encoder, subgraphs=[{}], buffers=[buffer], metadata=entries)


@pytest.mark.parametrize(
    "build",
    [shared_tensors, shared_names, shared_inputs, shared_metadata],
    ids=lambda build: build.__name__,
)
def test_a_small_file_does_not_expand_to_a_large_model(build: Callable[[Encoder], bytes]) -> None:
    content = build(Encoder(TFLITE))
    tracemalloc.start()
    with pytest.raises(InvalidModelError, match="expected less sharing"):
        read(content)
    assert tracemalloc.get_traced_memory()[1] < 300 * len(content)
    tracemalloc.stop()
