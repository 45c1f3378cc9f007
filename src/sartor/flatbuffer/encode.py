"""Write flatbuffer tables from records."""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from typing import Any

import flatbuffers
import numpy as np
from flatbuffers import number_types

from ..errors import InvalidModelError
from .layout import Field, Kind, Record, Schema

__all__ = ["Encoder", "Place"]

_FLAGS = {
    "?": number_types.BoolFlags,
    "b": number_types.Int8Flags,
    "B": number_types.Uint8Flags,
    "h": number_types.Int16Flags,
    "H": number_types.Uint16Flags,
    "i": number_types.Int32Flags,
    "I": number_types.Uint32Flags,
    "q": number_types.Int64Flags,
    "Q": number_types.Uint64Flags,
    "f": number_types.Float32Flags,
    "d": number_types.Float64Flags,
}
_SHARED_BYTES = 65536  # largest vector that is shared with equal ones


class Place(int):
    """The position of written data, counted from the end of the buffer."""


class Encoder:
    """A writer of one flatbuffer, from back to front: data that is written first is last.

    Equal strings, small vectors and tables are written once and shared, which makes a file of many
    small graphs a third smaller.

    A `Place` in a record refers to a table, string or vector that is already written: the result
    of `table` or `scalars`.
    """

    def __init__(self, schema: Schema, size: int = 1024) -> None:
        """Reserve `size` bytes; the buffer grows if they do not suffice."""
        self._schema = schema
        self._builder = flatbuffers.Builder(size)
        self._places_of: dict[object, Place] = {}

    def table(self, name: str, record: Record) -> Place:
        """Write a table and its content, and return its place.

        Raises:
            InvalidModelError: If a value is not of its field's type.
        """
        layout = self._schema.layout(name)
        places = self._pointed(name, layout.fields, record)
        values = [
            (field.name, places.get(field.name, record.get(field.name)))
            for field in layout.fields
            if record.get(field.name) is not None
        ]
        return self._once((name, *values), lambda: self._table(name, record, places))

    def _table(self, name: str, record: Record, places: dict[str, Place]) -> Place:
        layout = self._schema.layout(name)
        builder = self._builder
        builder.StartObject(layout.slots)
        for field in layout.fields:
            value = record.get(field.name)
            if value is None:
                continue
            if field.kind is not Kind.SCALAR:
                builder.PrependUOffsetTRelative(places[field.name])
                builder.Slot(field.slot)
                if field.kind is Kind.UNION:
                    builder.PrependUint8(_number(field, value[0]))
                    builder.Slot(field.slot - 1)
            elif value != field.default:
                self._scalar(name, field, value)
        return Place(builder.EndObject())

    def scalars(self, field: Field, values: Sequence[float] | bytes | np.ndarray) -> Place:
        """Write a vector of scalars, and return its place."""
        array = _array(field, values)
        width = field.dtype.itemsize
        builder = self._builder
        # The generated code aligns to the element's size only, and copies the data again.
        builder.StartVector(width, array.size, max(field.alignment, width))
        builder.head -= array.nbytes
        builder.Bytes[builder.head : builder.head + array.nbytes] = array.view(np.uint8).data
        return Place(builder.EndVector())

    def header(self, root: int, identifier: bytes) -> Place:
        """Write the header of a flatbuffer, and return its place.

        The bytes from there to the end are a file. More can be written before it, with a header of
        its own: a larger file, which shares the data of this one.
        """
        self._builder.Finish(root, file_identifier=identifier)
        return Place(self._builder.Offset())

    def content(self) -> bytes:
        """Return all bytes, from the last header on."""
        return bytes(memoryview(self._builder.Bytes)[self._builder.Head() :])

    def finish(self, root: int, identifier: bytes) -> bytes:
        """Write the header, and return all bytes."""
        self.header(root, identifier)
        return self.content()

    def _scalar(self, table: str, field: Field, value: Any) -> None:
        try:
            self._builder.Prepend(_FLAGS[field.letter], value)
        except (TypeError, struct.error) as error:
            raise InvalidModelError(
                f"{table}.{field.name} is {value!r}, expected a number of type "
                f"{field.dtype.name}. Correct what sets it."
            ) from error
        self._builder.Slot(field.slot)

    def _pointed(self, table: str, fields: Sequence[Field], record: Record) -> dict[str, Place]:
        """Write the data that a table points to, since tables cannot be nested: name → place."""
        places = {}
        for field in fields:
            value = record.get(field.name)
            if value is None or field.kind is Kind.SCALAR:
                continue
            try:
                places[field.name] = (
                    value if isinstance(value, Place) else self._child(field, value)
                )
            except (TypeError, ValueError, OverflowError, AttributeError) as error:
                raise InvalidModelError(
                    f"{table}.{field.name} is {value!r}, expected a {field.kind.value}: {error}. "
                    "Correct what sets it."
                ) from error
        return places

    def _child(self, field: Field, value: Any) -> Place:
        if field.kind is Kind.STRING:
            return Place(self._builder.CreateSharedString(value))
        if field.kind is Kind.SCALARS:
            array = _array(field, value)
            if array.nbytes > _SHARED_BYTES:
                return self.scalars(field, array)
            key = field.letter, field.alignment, array.tobytes()
            return self._once(key, lambda: self.scalars(field, array))
        if field.kind is Kind.TABLE:
            return self.table(field.table, value)
        if field.kind is Kind.UNION:
            return self.table(*value)
        if field.kind is Kind.STRINGS:
            return self._places([Place(self._builder.CreateSharedString(each)) for each in value])
        return self._places(
            [each if isinstance(each, Place) else self.table(field.table, each) for each in value]
        )

    def _once(self, key: object, write: Callable[[], Place]) -> Place:
        """Return the place of equal data, which is written if there is none."""
        place = self._places_of.get(key)
        if place is None:
            place = self._places_of[key] = write()
        return place

    def _places(self, places: list[Place]) -> Place:
        return self._once(tuple(places), lambda: self._offsets(places))

    def _offsets(self, places: list[Place]) -> Place:
        builder = self._builder
        builder.StartVector(4, len(places), 4)
        for place in reversed(places):
            builder.PrependUOffsetTRelative(place)
        return Place(builder.EndVector())


def _array(field: Field, values: Sequence[float] | bytes | np.ndarray) -> np.ndarray:
    """Return scalars as a contiguous array of the field's type."""
    if isinstance(values, bytes):
        values = np.frombuffer(values, np.uint8)
    return np.ascontiguousarray(values, field.dtype)


def _number(field: Field, table: str) -> int:
    """Return the type number of a union's member."""
    return next(number for number, name in field.members.items() if name == table)
