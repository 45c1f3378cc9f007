"""Read samples, features and images from the tables, and compare their checksums."""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime, timezone

import numpy as np

from ...contract.sample_store import STORE_APP, STORE_MAX_IMAGE_BYTES, checksum
from ...errors import DataError
from .checks import check_targets
from .database import Database, Row
from .faults import damaged
from .records import SampleSet, StoredSample

__all__ = [
    "check_class",
    "read_app_data",
    "read_class_keys",
    "read_classes",
    "read_image",
    "read_sample_set",
    "read_samples",
    "sample_checksum",
]

_FIRST = datetime.min.replace(tzinfo=timezone.utc).timestamp()
_LAST = datetime.max.replace(tzinfo=timezone.utc).timestamp() - 1
_MOST_ROWS = 1_000_000  # of features of one sample


def sample_checksum(row: Row, targets: Sequence[tuple[int, float]]) -> int:
    """Return the checksum of a sample's row and targets.

    Args:
        row: ID, time of adding, source, number of rows, bytes, held out.
        targets: pairs (class ID, value), ordered by ID.
    """
    return checksum(*row, *itertools.chain.from_iterable(targets))


def read_classes(database: Database) -> dict[int, str]:
    """Return class ID → name, in the order of their first samples."""
    classes = {}
    query = "SELECT id, key, name, checksum FROM class ORDER BY id"
    for number, key, name, stored in database.rows(query):
        if (
            not isinstance(name, str)
            or not isinstance(key, str)
            or checksum(number, key, name) != stored
        ):
            raise damaged(database.name, f"the name of class {number} has changed")
        classes[number] = name
    return classes


def read_class_keys(database: Database) -> dict[str, str | None]:
    """Return class key → name, or None for a removed class."""
    names = read_classes(database)
    keys: dict[str, str | None] = dict.fromkeys(
        key for (key,) in database.rows("SELECT key FROM removed_class")
    )
    for number, key in database.rows("SELECT id, key FROM class"):
        keys[key] = names[number]
    return keys


def read_app_data(database: Database, prefix: str) -> dict[str, str]:
    """Return the texts of the app whose keys start with `prefix`: key → text."""
    query = "SELECT key, value FROM meta WHERE substr(key, 1, ?) = ? ORDER BY key"
    start = STORE_APP + prefix
    rows = database.rows(query, len(start), start)
    return {key.removeprefix(STORE_APP): text for key, text in rows if isinstance(text, str)}


def check_class(database: Database, label: str) -> None:
    """Raise DataError unless a sample has this class."""
    classes = read_classes(database).values()
    if label not in classes:
        raise DataError(
            f"the store has no class {label!r}; its classes: {', '.join(classes) or 'none'}"
        )


def read_samples(database: Database, sample: int | None = None) -> list[StoredSample]:
    """Return all samples ordered by ID, or one; the caller holds a transaction.

    Raises:
        StoreError: If a row is damaged.
    """
    classes = read_classes(database)
    one = "" if sample is None else "WHERE {} = ?"
    values = () if sample is None else (sample,)
    targets: dict[int, list[tuple[int, float]]] = defaultdict(list)
    query = f"SELECT sample, class, value FROM target {one.format('sample')} ORDER BY 1, 2"
    for number, *target in database.rows(query, *values):
        targets[number].append(tuple(target))
    query = (
        "SELECT id, added, source, feature_rows, bytes, held_out, checksum FROM sample "
        f"{one.format('id')} ORDER BY 1"
    )
    samples = [
        _sample(database, classes, row, targets.pop(row[0], []), stored)
        for *row, stored in database.rows(query, *values)
    ]
    if targets:
        raise damaged(database.name, f"sample {next(iter(targets))!r} is missing")
    return samples


def _sample(
    database: Database,
    classes: dict[int, str],
    row: Sequence[object],
    targets: list[tuple[int, float]],
    stored: int,
) -> StoredSample:
    number, added, source, rows, size, held_out = row
    if (
        sample_checksum(tuple(row), targets) != stored
        or not isinstance(number, int)
        or not isinstance(added, float)
        or not isinstance(source, (bytes, type(None)))
        or not isinstance(rows, int)
        or not 1 <= rows <= _MOST_ROWS
        or not isinstance(size, int)
        or held_out not in (0, 1)
        or not all(key in classes and isinstance(value, float) for key, value in targets)
    ):
        raise damaged(database.name, f"sample {number} has changed")
    named = {classes[key]: value for key, value in targets}
    try:
        check_targets(database.task, named)
    except DataError as error:
        raise damaged(database.name, f"sample {number}: {error}") from error
    return StoredSample(
        id=number,
        targets=named,
        added=_time(added),
        held_out=bool(held_out),
        rows=rows,
        source=None if source is None else source.hex(),
    )


def _time(seconds: float) -> datetime:
    """Return a time; one that `datetime` cannot represent is the first or the last that it can."""
    return datetime.fromtimestamp(min(max(seconds, _FIRST), _LAST), timezone.utc)


def read_sample_set(
    database: Database, samples: Sequence[StoredSample], features: Sequence[np.ndarray]
) -> SampleSet:
    """Return samples as arrays; the caller holds a transaction.

    Args:
        database: database of the store.
        samples: the samples.
        features: their features; see `SampleSet.features`.
    """
    classes = tuple(read_classes(database).values())
    columns = {name: column for column, name in enumerate(classes)}
    ids, rows = [sample.id for sample in samples], [sample.rows for sample in samples]
    targets = np.full((len(samples), len(classes)), np.nan, np.float32)
    for row, sample in enumerate(samples):
        for name, value in sample.targets.items():
            targets[row, columns[name]] = value
    return SampleSet(
        features=features,
        samples=np.repeat(np.array(ids, np.int64), rows),
        targets=np.repeat(targets, rows, axis=0),
        classes=classes,
    )


def read_image(database: Database, sample: int, kind: str) -> bytes | None:
    """Return a thumbnail or photo, or None if the sample has none."""
    result = database.rows(
        "SELECT checksum, CASE WHEN typeof(data) = 'blob' AND length(data) <= ? THEN data END "
        "FROM image WHERE sample = ? AND kind = ?",
        STORE_MAX_IMAGE_BYTES, sample, kind,
    )  # fmt: skip
    if not result:
        return None
    ((stored, data),) = result
    if data is None or checksum(sample, kind, data) != stored:
        raise damaged(database.name, f"the {kind} of sample {sample} has changed")
    return bytes(data)
