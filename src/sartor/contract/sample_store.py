"""The format of the sample store, version 4: tables, encodings and checksums.

`docs/contract.md` describes it. Every language creates the tables with the same statements.
"""

from __future__ import annotations

import struct
import zlib
from typing import TypeAlias

__all__ = [
    "STORE_APP",
    "STORE_APPLICATION_ID",
    "STORE_BASE",
    "STORE_ERASE",
    "STORE_FLOAT16",
    "STORE_FLOAT32",
    "STORE_INTEGER",
    "STORE_MAX_IMAGE_BYTES",
    "STORE_MAX_LABEL",
    "STORE_PHOTO",
    "STORE_SCHEMA",
    "STORE_THUMBNAIL",
    "STORE_VERSION",
    "Field",
    "checksum",
    "pack",
]

STORE_VERSION = 4
"""Version of the tables of a sample store: `user_version` in the file."""

STORE_APPLICATION_ID = int.from_bytes(b"Srtr", "big")
"""Number that identifies a sample store: `application_id` in the file, the letters `Srtr`."""

STORE_SCHEMA = (
    "CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID",
    "CREATE TABLE class (id INTEGER PRIMARY KEY AUTOINCREMENT, key TEXT NOT NULL UNIQUE, "
    "name TEXT NOT NULL UNIQUE, checksum INTEGER NOT NULL)",
    "CREATE TABLE removed_class (key TEXT PRIMARY KEY) WITHOUT ROWID",
    "CREATE TABLE sample (id INTEGER PRIMARY KEY AUTOINCREMENT, added REAL NOT NULL, source BLOB, "
    "feature_rows INTEGER NOT NULL, bytes INTEGER NOT NULL, held_out INTEGER NOT NULL, "
    "checksum INTEGER NOT NULL)",
    "CREATE INDEX sample_source ON sample (source) WHERE source IS NOT NULL",
    "CREATE TABLE features (sample INTEGER PRIMARY KEY, encoding TEXT NOT NULL, "
    "data BLOB NOT NULL, checksum INTEGER NOT NULL)",
    "CREATE TABLE target (sample INTEGER NOT NULL, class INTEGER NOT NULL, value REAL NOT NULL, "
    "PRIMARY KEY (sample, class)) WITHOUT ROWID",
    "CREATE INDEX target_class ON target (class, value)",
    "CREATE TABLE image (sample INTEGER NOT NULL, kind TEXT NOT NULL, data BLOB NOT NULL, "
    "checksum INTEGER NOT NULL, PRIMARY KEY (sample, kind))",
)
"""Statements that create the tables of a sample store."""

STORE_BASE = "base"
"""Key in the table `meta`: fingerprint of the base that computed the features."""

STORE_ERASE = "erase"
"""Key in the table `meta`, present while deleted bytes are still to be overwritten."""

STORE_INTEGER = "q"
"""Encoding of a features tensor: the integers of a quantized base."""

STORE_APP = "app/"
"""Prefix of the keys in the table `meta` that belong to the app."""

STORE_FLOAT16 = "e"
"""Encoding of a features tensor: float16."""

STORE_FLOAT32 = "f"
"""Encoding of a features tensor: float32."""

STORE_THUMBNAIL = "thumbnail"
"""Kind of an image: a small PNG."""

STORE_PHOTO = "photo"
"""Kind of an image: the original, from which another base can compute the features."""

STORE_MAX_IMAGE_BYTES = 64 << 20
"""Largest size of a thumbnail or photo, in bytes."""

STORE_MAX_LABEL = 1000
"""Largest length of a class name, in Unicode code points."""

Field: TypeAlias = "int | float | str | bytes | None"
"""A value of a column."""

_INTEGER, _FLOAT = struct.Struct("<q").pack, struct.Struct("<d").pack


def pack(*fields: Field) -> bytes:
    """Return fields as bytes, the same in every language.

    An integer is 8 bytes (int64), a float 8 bytes (float64), both little-endian. A text in UTF-8
    or a blob follows its length in bytes, an integer. NULL is the length −1.
    """
    return b"".join(map(_pack, fields))


def _pack(field: Field) -> bytes:
    if isinstance(field, int):
        return _INTEGER(field)
    if isinstance(field, float):
        return _FLOAT(field)
    if field is None:
        return _INTEGER(-1)
    data = field.encode() if isinstance(field, str) else field
    return _INTEGER(len(data)) + data


def checksum(*fields: Field) -> int:
    """Return the checksum of fields: the CRC-32 of `pack`, 0 to 2³² − 1."""
    return zlib.crc32(pack(*fields))
