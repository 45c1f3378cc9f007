"""Change cells, rows and the schema of a sample store, with correct checksums in most cases."""

from __future__ import annotations

import contextlib
import sqlite3
from pathlib import Path
from typing import Any

import numpy as np
from fuzz_bytes import damage

from sartor.contract.sample_store import checksum

__all__ = ["mutate_store"]

_TABLES = {
    "meta": ["key", "value"],
    "removed_class": ["key"],
    "class": ["id", "key", "name"],
    "sample": ["id", "added", "source", "feature_rows", "bytes", "held_out"],
    "features": ["sample", "encoding", "data"],
    "target": ["sample", "class", "value"],
    "image": ["sample", "kind", "data"],
}
_KEYS = {
    "meta": "key",
    "removed_class": "key",
    "class": "id",
    "sample": "id",
    "features": "sample",
    "target": "sample, class",
    "image": "sample, kind",
}
_VALUES: list[Any] = [
    None,
    0,
    1,
    2,
    -1,
    2**31,
    2**53,
    2**63 - 1,
    -(2**63),
    0.0,
    0.5,
    -1.0,
    1e15,
    1e18,
    1e300,
    float("inf"),
    float("-inf"),
    "",
    "x",
    "a" * 2000,
    "\0",
    "é",
    b"",
    b"\0",
    b"\xff" * 64,
    "erase",
    "base",
    "q",
    "e",
    "f",
    "thumbnail",
]
_PRAGMAS = ["user_version = 1", "user_version = 99", "application_id = 0", "user_version = -1"]
_STATEMENTS = [
    "DROP INDEX target_class",
    "DROP TABLE image",
    "DROP TABLE meta",
    "CREATE TABLE other (x)",
    "CREATE VIEW v AS SELECT * FROM sample",
    "ALTER TABLE sample ADD COLUMN more INTEGER",
    "CREATE TRIGGER t AFTER INSERT ON sample BEGIN DELETE FROM sample; END",
    "DELETE FROM target",
    "DELETE FROM features",
    "DELETE FROM sample",
    "DELETE FROM class",
    "DELETE FROM meta",
    "DELETE FROM image",
]


def mutate_store(path: Path, random: np.random.Generator) -> None:
    """Change a store in place: one to three changes."""
    if random.random() < 0.15:
        path.write_bytes(damage(path.read_bytes(), random))
        return
    connection = sqlite3.connect(path, isolation_level=None)
    try:
        for _ in range(random.choice([1, 1, 1, 2, 3])):
            with contextlib.suppress(sqlite3.Error, OverflowError, UnicodeError):
                _change(connection, random)
        if random.random() < 0.85:
            with contextlib.suppress(sqlite3.Error, OverflowError, UnicodeError, TypeError):
                _sign(connection)
    finally:
        connection.close()


def _choose(random: np.random.Generator, values: list[Any]) -> Any:
    return values[random.integers(len(values))]


def _change(connection: sqlite3.Connection, random: np.random.Generator) -> None:
    kind = random.choice(["cell", "features", "row", "schema"], p=[0.55, 0.2, 0.15, 0.1])
    if kind == "schema":
        statement = _choose(random, _STATEMENTS)
        pragma = "PRAGMA " + _choose(random, _PRAGMAS)
        connection.execute(pragma if random.random() < 0.3 else statement)
        return
    table = "features" if kind == "features" else _choose(random, list(_TABLES))
    where, key = _row(connection, table, random)
    if kind == "row":
        connection.execute(f'DELETE FROM "{table}" WHERE {where}', key)
    elif kind == "features":
        (data,) = connection.execute(f"SELECT data FROM features WHERE {where}", key).fetchone()
        values = _other_features(data, random)
        connection.execute(f"UPDATE features SET data = ? WHERE {where}", (values, *key))
    else:
        column = _choose(random, _TABLES[table])
        value = _choose(random, _VALUES)
        connection.execute(
            f'UPDATE OR REPLACE "{table}" SET "{column}" = ? WHERE {where}', (value, *key)
        )


def _row(
    connection: sqlite3.Connection, table: str, random: np.random.Generator
) -> tuple[str, tuple[Any, ...]]:
    keys = _KEYS[table].split(", ")
    rows = connection.execute(f'SELECT {", ".join(keys)} FROM "{table}"').fetchall()
    if not rows:
        raise sqlite3.Error("no row")
    return " AND ".join(f"{key} = ?" for key in keys), rows[random.integers(len(rows))]


def _other_features(data: object, random: np.random.Generator) -> bytes:
    """Return features with extremes, or of another size."""
    kind = random.choice(["value", "all", "size"])
    data = data if isinstance(data, bytes) else b""
    if kind == "size" or len(data) < 4:
        sizes = [data[:-1], data + b"\0", data + data, b"", data[: len(data) // 2]]
        return sizes[random.integers(len(sizes))]
    dtype = np.dtype(_choose(random, ["<f4", "<f2"]))
    values: np.ndarray = np.frombuffer(data[: len(data) // 4 * 4], dtype).copy()
    extremes = [np.nan, np.inf, -np.inf, 3e38, -3e38, 65504.0, 1e-40, 0.0]
    with np.errstate(all="ignore"):
        index = slice(None) if kind == "all" else int(random.integers(values.size))
        values[index] = np.array(_choose(random, extremes)).astype(dtype)
    return values.tobytes() + data[values.nbytes :]


def _sign(connection: sqlite3.Connection) -> None:
    """Correct all checksums."""
    for row in connection.execute("SELECT id, key, name FROM class").fetchall():
        _set(connection, "class", "id = ?", row[:1], checksum(*row))
    columns = "id, added, source, feature_rows, bytes, held_out"
    for row in connection.execute(f"SELECT {columns} FROM sample").fetchall():
        query = "SELECT class, value FROM target WHERE sample = ? ORDER BY class"
        targets = [field for target in connection.execute(query, row[:1]) for field in target]
        _set(connection, "sample", "id = ?", row[:1], checksum(*row, *targets))
    for row in connection.execute("SELECT sample, encoding, data FROM features").fetchall():
        _set(connection, "features", "sample = ?", row[:1], checksum(*row))
    for row in connection.execute("SELECT sample, kind, data FROM image").fetchall():
        _set(connection, "image", "sample = ? AND kind = ?", row[:2], checksum(*row))


def _set(
    connection: sqlite3.Connection, table: str, where: str, key: tuple[Any, ...], value: int
) -> None:
    connection.execute(f'UPDATE "{table}" SET checksum = ? WHERE {where}', (value, *key))
