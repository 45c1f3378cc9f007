"""The TFLite schema, derived from the code that ai-edge-litert generated from it.

The generated code can read a file, but it is slow and checks nothing, and a second copy of its 150
tables would become outdated. So each table is described by a recording of that code: the calls of
its functions to a builder show slot, type and default of a field, and the results of its accessors
for a blank table show the content of a vector or an offset.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Any

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as generated

from .layout import Field, Kind, Layout, Schema

__all__ = [
    "BUILTIN_OPTIONS",
    "BUILTIN_OPTIONS_2",
    "OPERATORS",
    "TENSOR_FIELDS",
    "TENSOR_TYPES",
    "TFLITE",
]


def _numbers(enum: str) -> dict[int, str]:
    """Return number → name of an enum of the schema."""
    values = vars(getattr(generated, enum)).items()
    return {value: name for name, value in values if isinstance(value, int)}


def _members(union: str) -> dict[int, str]:
    """Return number → table of a union of the schema."""
    return {number: name for number, name in _numbers(union).items() if name != "NONE"}


TENSOR_TYPES = _numbers("TensorType")
OPERATORS = _numbers("BuiltinOperator")
BUILTIN_OPTIONS = _members("BuiltinOptions")
BUILTIN_OPTIONS_2 = _members("BuiltinOptions2")

TENSOR_FIELDS = ("scales", "zeroPoints")
"""The fields of block-wise quantization that hold the index of a tensor."""

_UNIONS = {
    "builtinOptions": BUILTIN_OPTIONS,
    "builtinOptions2": BUILTIN_OPTIONS_2,
    "details": _members("QuantizationDetails"),
    "arraySegments": _members("SparseIndexVector"),
    "arrayIndices": _members("SparseIndexVector"),
}
_ALIGNMENTS = {("Buffer", "data"): 16}  # the schema's force_align, which Python code leaves out
_LETTERS = {
    "Bool": "?",
    "Int8": "b",
    "Uint8": "B",
    "Int16": "h",
    "Uint16": "H",
    "Int32": "i",
    "Uint32": "I",
    "Int64": "q",
    "Uint64": "Q",
    "Float32": "f",
    "Float64": "d",
}
_BLANK_SLOTS = 60
_BLANK_TABLE = 4 + 2 * _BLANK_SLOTS
_BLANK = struct.pack(
    f"<HH{_BLANK_SLOTS}HiI24x", _BLANK_TABLE, 8, *([4] * _BLANK_SLOTS), _BLANK_TABLE, 4
)
"""A table whose every field points to zeros: an empty vector, string or table."""


class _Recorder:
    """A replacement for a flatbuffers builder that records its last call."""

    call: str
    arguments: tuple[Any, ...]

    def __getattr__(self, name: str) -> Callable[..., None]:
        def record(*arguments: Any) -> None:
            self.call, self.arguments = name, arguments

        return record


def _field(table: str, name: str) -> Field:
    """Describe one field."""
    title = name[0].upper() + name[1:]
    recorder = _Recorder()
    getattr(generated, f"{table}Add{title}")(recorder, 1)
    slot = recorder.arguments[0]
    if recorder.call == "PrependUOffsetTRelativeSlot":
        return _pointer(table, name, title, slot)
    letter = _LETTERS[recorder.call.removeprefix("Prepend").removesuffix("Slot")]
    default = recorder.arguments[2]
    return Field(name, slot, Kind.SCALAR, letter, bool(default) if letter == "?" else default)


def _pointer(table: str, name: str, title: str, slot: int) -> Field:
    """Describe a field that points to other data."""
    blank = getattr(generated, table)()
    blank.Init(_BLANK, _BLANK_TABLE)
    if hasattr(blank, f"{title}AsNumpy"):
        dtype: np.dtype[Any] = getattr(blank, f"{title}AsNumpy")().dtype
        letter = "q" if dtype == np.int64 else dtype.char
        alignment = _ALIGNMENTS.get((table, name), 0)
        return Field(name, slot, Kind.SCALARS, letter, alignment=alignment)
    if hasattr(blank, f"{title}Length"):
        member = getattr(blank, title)(0)
        return Field(name, slot, Kind.TABLES, table=type(member).__name__)
    value = getattr(blank, title)()
    if isinstance(value, bytes):
        return Field(name, slot, Kind.STRING)
    if isinstance(value, flatbuffers.table.Table):
        return Field(name, slot, Kind.UNION, members=_UNIONS[name])
    return Field(name, slot, Kind.TABLE, table=type(value).__name__)


def _describe(table: str) -> Layout:
    """Describe one table; raise KeyError if the schema does not have it."""
    try:
        names = list(vars(getattr(generated, f"{table}T")()))
    except AttributeError:
        raise KeyError(table) from None
    unions = {name for name in names if name in _UNIONS and f"{name}Type" in names}
    types = {f"{name}Type" for name in unions}
    return Layout(table, tuple(_field(table, name) for name in names if name not in types))


TFLITE = Schema(_describe)
