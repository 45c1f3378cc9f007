"""The format of the store: the page of the contract, and known answers for other languages."""

from __future__ import annotations

import re
import sqlite3
import struct
import zlib
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from stores import create_store, manifest

from sartor.contract.sample_store import (
    STORE_APPLICATION_ID,
    STORE_VERSION,
    Field,
    checksum,
    pack,
)
from sartor.errors import StoreError
from sartor.modalities.tensor import array_digest
from sartor.runtime.store import SampleStore

PAGE = (Path(__file__).parents[3] / "docs" / "contract.md").read_text(encoding="utf-8")

CHECKSUMS: dict[str, tuple[tuple[Field, ...], int]] = {
    "class": ((1, "0f", "Hüte"), 0x995B3DE4),
    "sample": ((7, 1700000000.5, b"\1\2", 2, 8, 1, 1, 1.0, 3, 0.25), 0x91DA859C),
    "sample without a source": ((7, 1700000000.5, None, 2, 8, 1, 1, 1.0, 3, 0.25), 0x22992320),
    "features": ((7, "e", bytes.fromhex("003c00c000380000")), 0x07DCEF42),
}
DIGEST = "4c42f0d7183fffd20cb1fcc954df01b8777dc7ba0a749fd8c72ae29c3a73898b"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    create_store(tmp_path / "s").close()
    return tmp_path / "s"


def test_the_page_lists_the_columns_of_the_schema(path: Path) -> None:
    query = """
        SELECT t.name || '.' || c.name,
               c.type || iif(c."notnull" OR c.pk, '', ' or NULL')
        FROM sqlite_master AS t, pragma_table_xinfo(t.name) AS c
        WHERE t.type = 'table' AND t.name NOT LIKE 'sqlite_%'
        ORDER BY t.rowid, c.cid
    """
    with closing(sqlite3.connect(path)) as connection:
        columns = connection.execute(query).fetchall()
    pattern = r"^\| `(\w+\.\w+)` \| ([A-Z]+(?: or NULL)?) \|"
    listed = re.findall(pattern, PAGE.partition("## Sample store")[2], re.M)
    assert listed == columns


def test_the_page_has_the_version_and_the_application_id(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA user_version").fetchone() == (STORE_VERSION,)
        assert connection.execute("PRAGMA application_id").fetchone() == (STORE_APPLICATION_ID,)
    assert f"| `application_id` | {STORE_APPLICATION_ID}, the letters `Srtr` |" in PAGE
    assert f"| `user_version` | {STORE_VERSION}, " in PAGE


def test_fields_are_packed_as_the_page_describes() -> None:
    assert pack(1, "Hüte", None, 0.25).hex() == (
        "0100000000000000" "0500000000000000" "48c3bc7465" "ffffffffffffffff" "000000000000d03f"
    )  # fmt: skip


@pytest.mark.parametrize("name", CHECKSUMS)
def test_a_checksum_has_its_known_answer(name: str) -> None:
    fields, expected = CHECKSUMS[name]
    assert checksum(*fields) == expected
    assert f"| `{expected:08x}` |" in PAGE


@pytest.mark.parametrize("dtype", ["<f4", ">f4"])
def test_the_identity_of_an_array_has_its_known_answer(dtype: str) -> None:
    assert array_digest(np.array([[0.5, -1, 2]], dtype)).hex() == DIGEST
    assert f"| `{DIGEST}` |" in PAGE


def text(value: str) -> bytes:
    return blob(value.encode())


def blob(value: bytes) -> bytes:
    return struct.pack("<q", len(value)) + value


def test_a_reader_that_follows_the_page_gets_every_checksum(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        for number, key, name, stored in connection.execute("SELECT * FROM class"):
            assert zlib.crc32(struct.pack("<q", number) + text(key) + text(name)) == stored
        for table in ("features", "image"):
            for sample, kind, data, stored in connection.execute(f"SELECT * FROM {table}"):
                assert zlib.crc32(struct.pack("<q", sample) + text(kind) + blob(data)) == stored
        query = "SELECT class, value FROM target WHERE sample = ? ORDER BY class"
        for *row, stored in connection.execute("SELECT * FROM sample").fetchall():
            number, added, source, rows, size, held_out = row
            packed = struct.pack("<qd", number, added) + blob(source)
            packed += struct.pack("<qqq", rows, size, held_out)
            for target in connection.execute(query, (number,)):
                packed += struct.pack("<qd", *target)
            assert zlib.crc32(packed) == stored


@pytest.mark.parametrize(
    ("version", "action"),
    [(1, "a new file"), (3, "a new file"), (STORE_VERSION + 1, "Update Sartor")],
)
def test_a_store_of_another_version_is_refused(path: Path, version: int, action: str) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(f"PRAGMA user_version = {version}")
    before = path.read_bytes()
    message = rf"version {version}; this Sartor supports version {STORE_VERSION}\. .*{action}"
    with pytest.raises(StoreError, match=message):
        SampleStore(path, manifest())
    assert path.read_bytes() == before
