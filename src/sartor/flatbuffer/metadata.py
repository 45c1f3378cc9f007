"""The standard metadata of a model, `TFLITE_METADATA`: a flatbuffer in the file's metadata."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import numpy as np

from . import metadata_tables
from .decode import Decoder
from .encode import Encoder
from .layout import Field, Kind, Layout, Record, Schema
from .metadata_tables import ModelMetadata

__all__ = ["METADATA_NAME", "decode_metadata", "encode_metadata"]

METADATA_NAME = "TFLITE_METADATA"
"""The name of the entry in `Model.metadata`."""

_IDENTIFIER = b"M001"
_LETTERS = {"byte": "b", "int": "i", "uint": "I", "float": "f", "ubyte": "B"}

_UNIONS: dict[str, dict[int, str]] = {
    "ContentProperties": {
        1: "FeatureProperties",
        2: "ImageProperties",
        3: "BoundingBoxProperties",
        4: "AudioProperties",
    },
    "ProcessUnitOptions": {
        1: "NormalizationOptions",
        2: "ScoreCalibrationOptions",
        3: "ScoreThresholdingOptions",
        4: "BertTokenizerOptions",
        5: "SentencePieceTokenizerOptions",
        6: "RegexTokenizerOptions",
    },
}


def _field(name: str, slot: int, type_name: str) -> Field:
    inner = type_name.strip("[]")
    many = inner != type_name
    if inner == "string":
        return Field(name, slot, Kind.STRINGS if many else Kind.STRING)
    if inner in _LETTERS and many:
        return Field(name, slot, Kind.SCALARS, _LETTERS[inner], alignment=16 * (inner == "ubyte"))
    if inner in _LETTERS:
        return Field(name, slot, Kind.SCALAR, _LETTERS[inner], 0)
    if inner in _UNIONS:
        return Field(name, slot + 1, Kind.UNION, members=_UNIONS[inner])
    return Field(name, slot, Kind.TABLES if many else Kind.TABLE, table=inner)


def _describe(table: str) -> Layout:
    """Describe the fields of a class in consecutive slots; the type of a union has its own."""
    described: list[Field] = []
    for each in fields(getattr(metadata_tables, table)):
        slot = described[-1].slot + 1 if described else 0
        described.append(_field(each.name, slot, each.metadata["type"]))
    return Layout(table, tuple(described))


_SCHEMA = Schema(_describe)


def decode_metadata(content: bytes) -> ModelMetadata:
    """Read the entry `TFLITE_METADATA` of `Model.metadata`.

    Raises:
        InvalidModelError: If it is damaged. The model runs without metadata.
    """
    advice = "Remove the metadata, or write them again with the tool that wrote them."
    record = Decoder(content, _SCHEMA).root("ModelMetadata", _IDENTIFIER, "model metadata", advice)
    decoded: ModelMetadata = _from_record("ModelMetadata", record)
    return decoded


def encode_metadata(metadata: ModelMetadata) -> bytes:
    """Return the entry `TFLITE_METADATA` for `Model.metadata`.

    Raises:
        InvalidModelError: If a value is not of its field's type.
    """
    encoder = Encoder(_SCHEMA)
    root = encoder.table("ModelMetadata", _to_record(metadata))
    return encoder.finish(root, _IDENTIFIER)


def _from_record(table: str, record: Record) -> Any:
    values = {}
    for each in _SCHEMA.layout(table).fields:
        value = record[each.name]
        if value is None:
            continue
        if each.kind is Kind.TABLE:
            value = _from_record(each.table, value)
        elif each.kind is Kind.TABLES:
            value = tuple(_from_record(each.table, item) for item in value)
        elif each.kind is Kind.UNION:
            value = _from_record(*value)
        elif each.kind is Kind.STRINGS:
            value = tuple(value)
        elif isinstance(value, np.ndarray):
            value = value.tobytes() if each.letter == "B" else tuple(value.tolist())
        values[each.name] = value
    return getattr(metadata_tables, table)(**values)


def _to_record(item: Any) -> Record:
    """Return a dataclass as a record, without empty strings and vectors."""
    record: Record = {}
    for each in _SCHEMA.layout(type(item).__name__).fields:
        value = getattr(item, each.name)
        if value is None or value in ("", (), b""):
            continue
        if each.kind is Kind.TABLE:
            value = _to_record(value)
        elif each.kind is Kind.TABLES:
            value = [_to_record(one) for one in value]
        elif each.kind is Kind.UNION:
            value = type(value).__name__, _to_record(value)
        record[each.name] = value
    return record
