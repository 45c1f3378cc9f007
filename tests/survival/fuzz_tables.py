"""Change fields of a `.tflite` file with knowledge of the schema.

A field is chosen by its table and name, so that rare tables are changed as often as frequent ones.
Its new value is a boundary of its type or meaning: sizes, indices, enum codes, quantization
parameters, offsets and lengths of vectors.
"""

from __future__ import annotations

import contextlib
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from sartor.errors import InvalidModelError
from sartor.flatbuffer import append_files, read
from sartor.flatbuffer.decode import Decoder
from sartor.flatbuffer.encode import Encoder
from sartor.flatbuffer.layout import Field, Kind, Layout, Record
from sartor.flatbuffer.schema import TFLITE

__all__ = ["mutate_model"]

Random = np.random.Generator

_INTEGERS = [0, 1, -1, 2, 3, 7, 8, 16, 32, 64, 127, 128, 255, 256, 1000, 65535, 65536, 10**6,
             2**24, 2**31 - 1, -(2**31), 2**32 - 1, 2**62, -2, -128]  # fmt: skip
_FLOATS = [0.0, -0.0, 1e-40, 1.2e-38, 1e-10, 0.5, 1.0, -1.0, 255.0, 1e10, 1e38, -1e38,
           float("nan"), float("inf"), float("-inf")]  # fmt: skip
_TEXTS = ["", "x", "main", "infer", "a" * 3000, "\0", "ü\u202e", "/etc/passwd", "%s%n"]
_OFFSETS = [0, 1, 2, 4, 8, 2**16, 2**30, 2**31 - 1, 2**31, 2**32 - 1, 2**32 - 4]
_ENUMS = {"builtinCode": 215, "deprecatedBuiltinCode": 128, "type": 20, "version": 9,
          "fusedActivationFunction": 7, "padding": 3, "opcodeIndex": 12}  # fmt: skip
_LONG = 1 << 16  # bytes of constants that are rarely interesting
_RAW = 0.2  # share of the changes of offsets and lengths


@dataclass(frozen=True)
class _Site:
    """One field of one table."""

    table: str
    record: Record
    field: Field


def mutate_model(content: bytes, random: Random) -> bytes:
    """Return a model with one to three changed fields."""
    for _ in range(100):
        with contextlib.suppress(InvalidModelError, OverflowError, ValueError, struct.error):
            new = _mutate_raw(content, random) if random.random() < _RAW else b""
            new = new or _mutate_tables(content, random)
            if new != content:
                return new
    raise AssertionError("no change fits the model")


# --- fields ------------------------------------------------------------------------------------


def _mutate_tables(content: bytes, random: Random) -> bytes:
    record = Decoder(content, TFLITE).root("Model", b"TFL3", "", "")
    for _ in range(random.choice([1, 1, 1, 2, 3])):
        sites: dict[tuple[str, str], list[_Site]] = {}
        for site in _sites(TFLITE.layout("Model"), record):
            sites.setdefault((site.table, site.field.name), []).append(site)
        candidates = sites[list(sites)[random.integers(len(sites))]]
        _CHANGES[(site := _choose(random, candidates)).field.kind](site, random)
    encoder = Encoder(TFLITE)
    table = encoder.finish(encoder.table("Model", record), b"TFL3")
    return append_files(table, read(content).files)


def _sites(layout: Layout, record: Record) -> Iterator[_Site]:
    for field in layout.fields:
        yield _Site(layout.name, record, field)
        value = record.get(field.name)
        if value is None:
            continue
        if field.kind is Kind.TABLE:
            yield from _sites(TFLITE.layout(field.table), value)
        elif field.kind is Kind.UNION:
            yield from _sites(TFLITE.layout(value[0]), value[1])
        elif field.kind is Kind.TABLES:
            for each in value:
                yield from _sites(TFLITE.layout(field.table), each)


def _choose(random: Random, values: list[Any]) -> Any:
    return values[random.integers(len(values))]


def _change_scalar(site: _Site, random: Random) -> None:
    old = site.record[site.field.name]
    site.record[site.field.name] = _scalar(site.field, old, random)


def _scalar(field: Field, old: Any, random: Random) -> Any:
    if field.letter == "?":
        return not old
    if field.letter in "fd":
        return float(_choose(random, [*_FLOATS, old * 2, -old, old / 1000]))
    limits = np.iinfo(field.dtype)
    if field.name in _ENUMS and random.random() < 0.7:
        return int(random.integers(_ENUMS[field.name]))
    near = [old + 1, old - 1, 2 * old, old // 2]
    value = _choose(random, near if random.random() < 0.4 else _INTEGERS)
    return int(min(max(value, int(limits.min)), int(limits.max)))


def _change_scalars(site: _Site, random: Random) -> None:
    array: np.ndarray | None = site.record[site.field.name]
    if array is None:
        values = [_scalar(site.field, 0, random) for _ in range(random.integers(4))]
        site.record[site.field.name] = np.array(values, site.field.dtype)
    elif site.field.name == "data":
        site.record[site.field.name] = _change_constant(array, random)
    else:
        site.record[site.field.name] = _change_vector(site.field, array, random)


def _change_vector(field: Field, array: np.ndarray, random: Random) -> np.ndarray:
    kind = random.choice(["item", "item", "item", "add", "remove", "swap", "empty"])
    if kind == "empty" or not array.size:
        return np.zeros(0 if array.size else 1, field.dtype)
    index = int(random.integers(array.size))
    if kind == "remove":
        return np.asarray(np.delete(array, index))
    new: np.ndarray = array.copy()
    if kind == "swap":
        new[index], new[-1] = array[-1], array[index]
        return new
    value = np.array(_scalar(field, array[index].item(), random), field.dtype)
    if kind == "add":
        return np.asarray(np.insert(new, index, value))
    new[index] = value
    return new


def _change_constant(array: np.ndarray, random: Random) -> np.ndarray:
    """Change a number of a constant, as integers or floats, or the size of the constant."""
    kind = random.choice(["int", "int", "float", "all", "size"])
    if kind == "size" or array.size < 4:
        return np.resize(array, int(random.choice([0, 1, 4, array.size + 4, 2 * array.size])))
    dtype = np.dtype("<i4" if kind == "int" else "<f4")
    numbers = array[: array.size // 4 * 4].copy().view(dtype)
    values = [each for each in _INTEGERS if abs(each) < 2**31] if kind == "int" else _FLOATS
    index = slice(None) if kind == "all" else int(random.integers(numbers.size))
    numbers[index] = _choose(random, values)
    return np.concatenate([numbers.view(np.uint8), array[numbers.nbytes :]])


def _change_tables(site: _Site, random: Random) -> None:
    tables: list[Record] | None = site.record[site.field.name]
    kind = random.choice(["remove", "repeat", "swap", "empty"], p=[0.3, 0.3, 0.3, 0.1])
    if not tables or kind == "empty":
        layout = TFLITE.layout(site.field.table)
        site.record[site.field.name] = None if tables else [dict(layout.defaults)]
        return
    first, second = random.integers(len(tables), size=2)
    if kind == "remove":
        del tables[first]
    elif kind == "repeat":
        tables.insert(int(second), tables[first])
    else:
        tables[first], tables[second] = tables[second], tables[first]


def _change_union(site: _Site, random: Random) -> None:
    members = sorted(set(site.field.members.values()))
    name = _choose(random, members)
    absent = site.record[site.field.name] is not None and random.random() < 0.3
    value = None if absent else (name, dict(TFLITE.layout(name).defaults))
    site.record[site.field.name] = value


def _change_table(site: _Site, random: Random) -> None:
    is_absent = site.record[site.field.name] is None
    value = dict(TFLITE.layout(site.field.table).defaults) if is_absent else None
    site.record[site.field.name] = value


def _change_text(site: _Site, random: Random) -> None:
    site.record[site.field.name] = _choose(random, [*_TEXTS, None])


def _change_texts(site: _Site, random: Random) -> None:
    site.record[site.field.name] = _choose(random, [[], ["x"], None])


_CHANGES: dict[Kind, Callable[[_Site, Random], None]] = {
    Kind.SCALAR: _change_scalar,
    Kind.SCALARS: _change_scalars,
    Kind.TABLES: _change_tables,
    Kind.TABLE: _change_table,
    Kind.UNION: _change_union,
    Kind.STRING: _change_text,
    Kind.STRINGS: _change_texts,
}


# --- offsets and lengths -----------------------------------------------------------------------


class _Recorder(Decoder):
    """A decoder that records where offsets, vtables and lengths of vectors are."""

    def __init__(self, content: bytes) -> None:
        super().__init__(content, TFLITE)
        self.places: list[int] = []

    def _follow(self, position: int, what: str) -> int:
        self.places.append(position)
        target = super()._follow(position, what)
        self.places.append(target)  # a length, or the offset of a vtable
        return target


def _mutate_raw(content: bytes, random: Random) -> bytes:
    """Set an offset, a length or some other four bytes of the tables."""
    recorder = _Recorder(content)
    recorder.root("Model", b"TFL3", "", "")
    data = bytearray(content)
    for _ in range(random.choice([1, 1, 2])):
        position = _choose(random, recorder.places)
        old = int.from_bytes(data[position : position + 4], "little")
        near = [old + 1, old - 1, old + 4, old - 4, old * 2, old ^ (1 << int(random.integers(20)))]
        value = _choose(random, near if random.random() < 0.5 else _OFFSETS)
        data[position : position + 4] = (int(value) % 2**32).to_bytes(4, "little")
    return bytes(data)
