"""The layout of flatbuffer tables: descriptions of fields that reader and writer share."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from functools import cached_property
from typing import Any, TypeAlias

import numpy as np

__all__ = ["Field", "Kind", "Layout", "Record", "Schema"]

Record: TypeAlias = dict[str, Any]
"""The fields of a table: scalars as int, float or bool; strings as str; vectors of scalars as
arrays; tables as records; vectors of tables as lists of records; unions as `(table name, record)`;
absent fields as None."""


class Kind(Enum):
    """The storage of a field."""

    SCALAR = "scalar"
    STRING = "string"
    TABLE = "table"
    UNION = "union"
    SCALARS = "vector of scalars"
    STRINGS = "vector of strings"
    TABLES = "vector of tables"


@dataclass(frozen=True, eq=False)
class Field:
    """One field of a table.

    Attributes:
        name: name in Python code generated from the schema: `fusedActivationFunction`.
        slot: index in the vtable; the type of a union is one slot before.
        kind: storage of the field.
        letter: element type of scalars in the notation of `struct` and NumPy: `i`, `f`, `?`.
        default: value of an omitted scalar.
        table: name of the table, or of each table of a vector.
        members: type number → table of a union.
        alignment: alignment of the elements of a vector, if it is more than their size.
    """

    name: str
    slot: int
    kind: Kind
    letter: str = ""
    default: float | None = None
    table: str = ""
    members: Mapping[int, str] = field(default_factory=dict)
    alignment: int = 0

    @cached_property
    def dtype(self) -> np.dtype[Any]:
        """The element type of scalars."""
        return np.dtype("<" + self.letter)

    @cached_property
    def width(self) -> int:
        """The bytes of the field in its table."""
        return self.dtype.itemsize if self.kind is Kind.SCALAR else 4


@dataclass(frozen=True, eq=False)
class Layout:
    """The fields of one table."""

    name: str
    fields: tuple[Field, ...]

    @cached_property
    def slots(self) -> int:
        """The length of the vtable."""
        return max((each.slot for each in self.fields), default=-1) + 1

    @cached_property
    def defaults(self) -> Record:
        """The record of an empty table."""
        return {each.name: each.default for each in self.fields}


class Schema:
    """The tables of a schema, each described at its first use."""

    def __init__(self, describe: Callable[[str], Layout]) -> None:
        self._describe = describe
        self._layouts: dict[str, Layout] = {}

    def layout(self, table: str) -> Layout:
        """Return the layout of a table; raise KeyError if the schema does not have it."""
        layout = self._layouts.get(table)
        if layout is None:
            layout = self._layouts[table] = self._describe(table)
        return layout
