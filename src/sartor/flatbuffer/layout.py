"""What a flatbuffer table looks like: its fields, in plain data that reader and writer share."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from functools import cached_property
from typing import Any, TypeAlias

import numpy as np

__all__ = ["Field", "Kind", "Layout", "Record", "Schema"]

Record: TypeAlias = dict[str, Any]
"""A table's fields: scalars as int, float or bool; strings as str; vectors of scalars as arrays;
tables as records, vectors of tables as lists of them; unions as `(table name, record)`; None for
what is absent."""


class Kind(Enum):
    """How a field is stored."""

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
        name: as in Python code generated from the schema: `fusedActivationFunction`.
        slot: its place in the vtable; the type of a union stands one before.
        kind: how it is stored.
        letter: the element type of scalars, as `struct` and NumPy spell it: `i`, `f`, `?`.
        default: of a scalar; it is not stored.
        table: what a table, or each of a vector of tables, is.
        members: what a union may hold: type number → table.
        alignment: of the elements of a vector, where it is more than their size.
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
        """Bytes that the field takes in its table."""
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
        """A record of a table in which nothing is stored."""
        return {each.name: each.default for each in self.fields}


class Schema:
    """The tables of a schema, each looked up when it is first needed."""

    def __init__(self, describe: Callable[[str], Layout]) -> None:
        self._describe = describe
        self._layouts: dict[str, Layout] = {}

    def layout(self, table: str) -> Layout:
        """The fields of a table; raises KeyError when the schema has none of this name."""
        found = self._layouts.get(table)
        if found is None:
            found = self._layouts[table] = self._describe(table)
        return found
