"""Rows of a store as samples and features; each is held to its checksum before it is believed."""

from __future__ import annotations

import zlib
from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime, timezone

import numpy as np

from .codec import FeatureCodec
from .database import Database, Row
from .faults import damaged
from .records import StoredSample

__all__ = [
    "MAX_PICTURE",
    "blob_checksum",
    "class_checksum",
    "read_classes",
    "read_features",
    "read_picture",
    "read_samples",
    "sample_checksum",
]

MAX_PICTURE = 64 << 20
"""The most bytes of a thumbnail or photo."""


def sample_checksum(row: Row, targets: Sequence[tuple[int, float]]) -> int:
    """Of a sample's row and targets.

    Args:
        row: id, added, source, views, bytes, held out.
        targets: (class id, value), in the order of the ids.
    """
    *fields, held_out = row
    # Version 1 had no `held_out`: a sample that is not held out keeps the checksum that it had.
    return zlib.crc32(repr((*fields, *targets, *(["held out"] if held_out else ()))).encode())


def class_checksum(number: int, name: str) -> int:
    """Of a class's row."""
    return zlib.crc32(f"{number} {name}".encode())


def blob_checksum(sample: int, kind: str, data: bytes) -> int:
    """Of features (kind: their encoding) or a picture."""
    return zlib.crc32(data, zlib.crc32(f"{sample} {kind}".encode()))


def read_classes(database: Database) -> dict[int, str]:
    """Class id → name, in the order in which the store first met them."""
    classes = {}
    for number, name, checksum in database.rows("SELECT id, name, checksum FROM class ORDER BY id"):
        if not isinstance(name, str) or class_checksum(number, name) != checksum:
            raise damaged(database.name, f"the name of class {number} is not what was written")
        classes[number] = name
    return classes


def read_samples(database: Database, sample: int | None = None) -> list[StoredSample]:
    """All samples in the order of their ids, or one; the caller is in a transaction.

    Raises:
        StoreError: a row is not what was written.
    """
    classes = read_classes(database)
    one = "" if sample is None else "WHERE {} = ?"
    values = () if sample is None else (sample,)
    targets: dict[int, list[tuple[int, float]]] = defaultdict(list)
    query = f"SELECT sample, class, value FROM target {one.format('sample')} ORDER BY 1, 2"
    for number, *target in database.rows(query, *values):
        targets[number].append(tuple(target))
    query = (
        "SELECT id, added, source, views, bytes, held_out, checksum FROM sample "
        f"{one.format('id')} ORDER BY 1"
    )
    found = [
        _sample(database, classes, row, targets.pop(row[0], []), checksum)
        for *row, checksum in database.rows(query, *values)
    ]
    if targets:
        raise damaged(database.name, f"sample {min(targets)} is lost")
    return found


def _sample(
    database: Database,
    classes: dict[int, str],
    row: Sequence[object],
    targets: list[tuple[int, float]],
    checksum: int,
) -> StoredSample:
    number, added, source, views, _, held_out = row
    if (
        sample_checksum(tuple(row), targets) != checksum
        or not isinstance(number, int)
        or not isinstance(added, float)
        or not isinstance(source, (bytes, type(None)))
        or not isinstance(views, int)
        or not all(key in classes and isinstance(value, float) for key, value in targets)
    ):
        raise damaged(database.name, f"sample {number} is not what was written")
    try:
        time = datetime.fromtimestamp(added, timezone.utc)
    except (OverflowError, ValueError, OSError) as error:
        raise damaged(database.name, f"sample {number} was added at no time: {added}") from error
    return StoredSample(
        id=number,
        targets={classes[key]: value for key, value in targets},
        added=time,
        held_out=bool(held_out),
        views=views,
        source=None if source is None else source.hex(),
    )


def read_features(
    database: Database, codec: FeatureCodec, samples: Iterable[tuple[int, int]]
) -> list[np.ndarray]:
    """The rows of these samples, in their order: float32 [rows, …] for each tensor.

    Args:
        database: the store's.
        codec: of the model's features.
        samples: (id, how many views it has) of each.

    Raises:
        StoreError: what is there is not what was written.
    """
    groups: dict[str, list[bytes]] = defaultdict(list)
    rows: dict[str, list[np.ndarray]] = defaultdict(list)
    end = 0
    for number, views in samples:
        encoding, data = _features(database, codec, number, views)
        groups[encoding].append(data)
        rows[encoding].append(np.arange(end, end := end + views))
    features = codec.empty(end)
    for encoding, group in groups.items():
        chosen = np.concatenate(rows[encoding])
        for tensor, decoded in zip(features, codec.decode(encoding, group), strict=True):
            tensor[chosen] = decoded
    return features


def _features(
    database: Database, codec: FeatureCodec, sample: int, views: int
) -> tuple[str, bytes]:
    found = database.rows(
        "SELECT encoding, checksum, CASE WHEN typeof(data) = 'blob' AND length(data) <= ? "
        "THEN data END FROM features WHERE sample = ?",
        codec.most() * views, sample,
    )  # fmt: skip
    encoding, checksum, data = found[0] if found else ("", 0, None)
    if (
        data is None
        or not codec.is_known(encoding)
        or len(data) != codec.size(encoding) * views
        or blob_checksum(sample, encoding, data) != checksum
    ):
        raise damaged(database.name, f"the features of sample {sample} are not what was written")
    return encoding, data


def read_picture(database: Database, sample: int, kind: str) -> bytes | None:
    """A thumbnail or photo; None where the sample has none."""
    found = database.rows(
        "SELECT checksum, CASE WHEN typeof(data) = 'blob' AND length(data) <= ? THEN data END "
        "FROM picture WHERE sample = ? AND kind = ?",
        MAX_PICTURE, sample, kind,
    )  # fmt: skip
    if not found:
        return None
    ((checksum, data),) = found
    if data is None or blob_checksum(sample, kind, data) != checksum:
        raise damaged(database.name, f"the {kind} of sample {sample} is not what was written")
    return bytes(data)
