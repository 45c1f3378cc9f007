"""Change the entries of a project archive, its directory, and the files in it."""

from __future__ import annotations

import io
import struct
import tempfile
import warnings
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
from fuzz_bytes import damage
from fuzz_checkpoints import mutate_checkpoint
from fuzz_stores import mutate_store

__all__ = ["mutate_project"]

_NAMES = ["../model.tflite", "/model.tflite", "model.tflite/", "checkpoint.safetensors\0", "x",
          "C:\\model.tflite", "checkpoint.samples-wal", "a" * 5000, "", "MODEL.TFLITE",
          "checkpoint.samples"]  # fmt: skip
_WORDS = [0, 1, 2, 8, 0x8000, 0xFFFF, 0x10000, 2**31 - 1, 2**31, 2**32 - 1]


def mutate_project(content: bytes, random: np.random.Generator) -> bytes:
    """Return a changed project."""
    kind = random.choice(["bytes", "field", "entry", "checkpoint", "samples"],
                         p=[0.15, 0.3, 0.25, 0.15, 0.15])  # fmt: skip
    if kind == "bytes":
        return damage(content, random)
    if kind == "field":
        return _change_field(content, random)
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        entries = [(entry.filename, archive.read(entry)) for entry in archive.infolist()]
    method = zipfile.ZIP_STORED
    if kind == "entry":
        method = _change_entry(entries, random)
    else:
        index = next(i for i, (name, _) in enumerate(entries) if name.endswith(kind[:8]) or
                     (kind == "checkpoint" and name.endswith(".safetensors")))  # fmt: skip
        name, data = entries[index]
        change = mutate_checkpoint if kind == "checkpoint" else _change_samples
        entries[index] = name, change(data, random)
    return _pack(entries, method)


def _choose(random: np.random.Generator, values: list[Any]) -> Any:
    return values[random.integers(len(values))]


def _pack(entries: list[tuple[str, bytes]], method: int) -> bytes:
    stream = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a name that occurs twice
        with zipfile.ZipFile(stream, "w", method) as archive:
            for name, data in entries:
                archive.writestr(zipfile.ZipInfo(name), data, method)
    return stream.getvalue()


def _change_samples(data: bytes, random: np.random.Generator) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "s"
        path.write_bytes(data)
        mutate_store(path, random)
        return path.read_bytes()


def _change_entry(entries: list[tuple[str, bytes]], random: np.random.Generator) -> int:
    """Change the list of entries, and return the method of compression."""
    index = int(random.integers(len(entries)))
    name, data = entries[index]
    kind = random.choice(["remove", "repeat", "rename", "add", "empty", "zeros", "compress"])
    if kind == "remove":
        del entries[index]
    elif kind == "repeat":
        entries.append((name, damage(data, random)))
    elif kind == "rename":
        entries[index] = _choose(random, _NAMES), data
    elif kind == "add":
        entries.append((_choose(random, _NAMES), b"x"))
    elif kind == "empty":
        entries[index] = name, b""
    elif kind == "zeros":
        entries[index] = name, bytes(10**7)
    else:
        return zipfile.ZIP_DEFLATED
    return zipfile.ZIP_STORED


def _change_field(content: bytes, random: np.random.Generator) -> bytes:
    """Set a field of a local header, of the directory, or of its end."""
    marks = [b"PK\x03\x04", b"PK\x01\x02", b"PK\x05\x06"]
    mark, size = _choose(random, list(zip(marks, (30, 46, 22), strict=True)))
    starts, start = [], content.find(mark)
    while start >= 0:
        starts.append(start)
        start = content.find(mark, start + 1)
    data = bytearray(content)
    position = _choose(random, starts) + 4 + int(random.integers(size - 4))
    width = int(_choose(random, [2, 4]))
    data[position : position + width] = struct.pack(
        "<I", int(_choose(random, _WORDS)) % 256**width
    )[:width]
    return bytes(data)
