"""Read flatbuffer tables, and check every offset before it is used."""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np

from ..errors import InvalidModelError
from .layout import Field, Kind, Layout, Record, Schema

__all__ = ["DAMAGED", "Decoder", "find_item"]

DAMAGED = "The file is damaged or was cut short: download or convert it again."

_U16 = struct.Struct("<H")
_I32 = struct.Struct("<i")
_U32 = struct.Struct("<I")
_SCALARS = {letter: struct.Struct("<" + letter) for letter in "?bBhHiIqQfd"}
_REPEATS = 16
_SLACK = 1 << 20
_MOST_TABLES = 1_000_000  # LiteRT's verifier takes no more
_SPARE_TABLES = 4096

T = TypeVar("T")


def find_item(items: list[T], index: int, what: str) -> T:
    """Return the item at an index that the file states."""
    if not 0 <= index < len(items):
        raise InvalidModelError(
            f"{what} is number {index}, expected a number below {len(items)}. {DAMAGED}"
        )
    return items[index]


class Decoder:
    """A reader of the tables of one flatbuffer.

    Like the verifier of LiteRT, it requires aligned tables and vectors within the file, and strings
    that end with a zero. Several offsets may point to the same data, so it counts the bytes that it
    reads, and rejects a file that unpacks to far more than its size.

    Attributes:
        end: offset of the byte after the last byte that was read.
    """

    def __init__(self, data: bytes, schema: Schema) -> None:
        self._data = data
        self._schema = schema
        self._left = _REPEATS * len(data) + _SLACK
        self._tables_left = min(_MOST_TABLES, len(data) // 4 + _SPARE_TABLES)
        self._vtables: dict[tuple[int, str], tuple[int, list[tuple[Field, int, int]]]] = {}
        self.end = 0

    def root(self, table: str, identifier: bytes, file: str, advice: str) -> Record:
        """Read the root table and all tables below it.

        Args:
            table: name of the root table in the schema.
            identifier: expected identifier at byte 4.
            file: name of the format for the error message.
            advice: advice of the error message if the identifier differs.

        Raises:
            InvalidModelError: If the identifier or an offset is wrong.
        """
        if self._data[4:8] != identifier:
            raise InvalidModelError(
                f"expected {file}, with {identifier!r} at byte 4; got {len(self._data)} bytes "
                f"that begin with {self._data[:8]!r}. {advice}"
            )
        return self._table(self._follow(0, table), self._schema.layout(table))

    def spend(self, size: int) -> None:
        """Count bytes that are read.

        Raises:
            InvalidModelError: If the file unpacks to far more than its size.
        """
        self._left -= size
        if self._left < 0 or self._tables_left < 0:
            raise InvalidModelError(
                f"the {len(self._data)} bytes unpack to more than {_REPEATS} times as much, or to "
                f"more tables than fit into the file; expected less sharing. {DAMAGED}"
            )

    def _table(self, position: int, layout: Layout) -> Record:
        size, fields = self._vtable(position, layout)
        self._tables_left -= 1
        self.spend(size)
        self._claim(position, size, layout.name)
        record = layout.defaults.copy()
        for field, offset, extra in fields:
            if (position + offset) % field.width:
                raise InvalidModelError(
                    f"{layout.name}.{field.name} is at byte {position + offset}, expected a "
                    f"multiple of {field.width}. {DAMAGED}"
                )
            kind = field.kind
            if kind is Kind.SCALAR:
                record[field.name] = _SCALARS[field.letter].unpack_from(
                    self._data, position + offset
                )[0]
            elif kind is Kind.UNION:
                number = self._data[position + extra] if extra else 0
                record[field.name] = self._union(position + offset, field, number)
            else:
                record[field.name] = _READERS[kind](self, position + offset, field)
        return record

    def _vtable(self, position: int, layout: Layout) -> tuple[int, list[tuple[Field, int, int]]]:
        """Return the table's size, and for each stored field its offset in the table.

        The last number is the offset of a union's type.
        """
        self._claim(position, 4, layout.name)
        start = position - _I32.unpack_from(self._data, position)[0]
        key = (start, layout.name)
        vtable = self._vtables.get(key)
        if vtable is None:
            vtable = self._vtables[key] = self._read_vtable(start, layout)
        return vtable

    def _read_vtable(self, start: int, layout: Layout) -> tuple[int, list[tuple[Field, int, int]]]:
        name = f"the vtable of {layout.name}"
        self._claim(start, 4, name, alignment=2)
        length, size = struct.unpack_from("<HH", self._data, start)
        if length < 4 or length % 2:
            raise InvalidModelError(f"{name} has {length} bytes, expected 4 or more. {DAMAGED}")
        self._claim(start, length, name, alignment=2)
        entries = struct.unpack_from(f"<{length // 2 - 2}H", self._data, start + 4)
        fields = []
        for field in layout.fields:
            offset = entries[field.slot] if field.slot < len(entries) else 0
            extra = entries[field.slot - 1] if offset and field.kind is Kind.UNION else 0
            if offset and not (4 <= offset <= size - field.width and extra in (0, *range(4, size))):
                raise InvalidModelError(
                    f"{layout.name}.{field.name} is at byte {offset} of a table of {size} "
                    f"bytes. {DAMAGED}"
                )
            if offset:
                fields.append((field, offset, extra))
        return size, fields

    def _claim(self, start: int, size: int, what: str, *, alignment: int = 4) -> None:
        """Check that bytes are within the file and aligned."""
        if start < 0 or start + size > len(self._data) or start % alignment:
            raise InvalidModelError(
                f"{what} takes {size} bytes from byte {start} on; expected a multiple of "
                f"{alignment}, and an end before that of the file at {len(self._data)}. {DAMAGED}"
            )
        if start + size > self.end:
            self.end = start + size

    def _follow(self, position: int, what: str) -> int:
        """Return the target of the offset at `position`."""
        self._claim(position, 4, what)
        offset: int = _U32.unpack_from(self._data, position)[0]
        if not 0 < offset < 1 << 31:
            raise InvalidModelError(f"the offset of {what} is {offset}. {DAMAGED}")
        return position + offset

    def _vector(self, position: int, what: str, width: int, end: int = 0) -> tuple[int, int]:
        """Return the start and the length of a vector, which `end` more bytes must follow."""
        start = self._follow(position, what)
        self._claim(start, 4, what)
        length: int = _U32.unpack_from(self._data, start)[0]
        self._claim(start, 4 + length * width + end, what)
        self.spend(length * width)
        return start + 4, length

    def _string(self, position: int, field: Field) -> str:
        start, length = self._vector(position, field.name, 1, end=1)
        if self._data[start + length]:
            raise InvalidModelError(f"the string {field.name} does not end with a zero. {DAMAGED}")
        try:
            return self._data[start : start + length].decode()
        except UnicodeDecodeError as error:
            raise InvalidModelError(
                f"the string {field.name} is not UTF-8: {error}. {DAMAGED}"
            ) from error

    def _scalars(self, position: int, field: Field) -> np.ndarray:
        start, length = self._vector(position, field.name, field.dtype.itemsize)
        return np.frombuffer(self._data, field.dtype, length, start)

    def _sub_table(self, position: int, field: Field) -> Record:
        return self._table(self._follow(position, field.name), self._schema.layout(field.table))

    def _tables(self, position: int, field: Field) -> list[Record]:
        start, length = self._vector(position, field.name, 4)
        layout = self._schema.layout(field.table)
        return [
            self._table(self._follow(start + 4 * index, field.name), layout)
            for index in range(length)
        ]

    def _strings(self, position: int, field: Field) -> list[str]:
        start, length = self._vector(position, field.name, 4)
        return [self._string(start + 4 * index, field) for index in range(length)]

    def _union(self, position: int, field: Field, number: int) -> tuple[str, Record] | None:
        if number == 0:
            return None
        if number not in field.members:
            raise InvalidModelError(
                f"{field.name} is of type {number}, which is not in the installed schema; "
                f"expected at most {max(field.members)}. Update ai-edge-litert, or download or "
                "convert the model again."
            )
        table = field.members[number]
        return table, self._table(self._follow(position, field.name), self._schema.layout(table))


_READERS: dict[Kind, Callable[[Decoder, int, Field], Any]] = {
    Kind.STRING: Decoder._string,
    Kind.TABLE: Decoder._sub_table,
    Kind.SCALARS: Decoder._scalars,
    Kind.STRINGS: Decoder._strings,
    Kind.TABLES: Decoder._tables,
}
