"""Eviction of samples from a full store: near-duplicates of the largest class, or random ones.

Accuracy of a logistic regression on four sets of photos and sounds, in a store that is limited to a
fifth of the samples (mean of 8 draws each, in points):

| samples | this rule | random | the oldest |
|---|---|---|---|
| all differ | 77.0 | 77.5 | 77.0 |
| bursts of four frames | 76.4 | 74.9 | 66.6 |
| 20 photos of each class, then 60 frames of one | 71.5 | 60.2 | 43.0 |

Evicting always from the closest pair is up to 5 points worse if all photos differ. Distances
between successive samples only are as good here, but miss a scene that comes again and again.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..._arguments import check_integer
from ..._random_numbers import RandomNumbers
from ...errors import DataError
from .codec import FeatureCodec
from .database import Database, Row
from .features import read_features
from .writing import delete_samples

__all__ = ["Limits", "evict"]

_NEAR = 0.5  # near-duplicates are closer than this fraction of the median distance
_LATEST = 64  # samples compared with each other: near-duplicates come in bursts


@dataclass(frozen=True)
class Limits:
    """Limits of a store.

    Attributes:
        max_samples: largest number of samples, or None.
        max_bytes: largest size of features and images, in bytes, or None.

    Raises:
        DataError: If a limit is less than 1.
    """

    max_samples: int | None = None
    max_bytes: int | None = None

    def __post_init__(self) -> None:
        for name, limit in (("max_samples", self.max_samples), ("max_bytes", self.max_bytes)):
            if limit is not None:
                check_integer(limit, name, 1)

    def check(self, size: int) -> None:
        """Raise DataError if a sample of this size in bytes does not fit."""
        if self.max_bytes is not None and size > self.max_bytes:
            raise DataError(
                f"the sample has {size:,} bytes, more than max_bytes = {self.max_bytes:,}: raise "
                "max_bytes, or store no photos"
            )


def evict(
    database: Database,
    codec: FeatureCodec,
    newest: int,
    limits: Limits,
    *,
    by_class: bool,
) -> None:
    """Delete samples until the store is within its limits; the caller holds a transaction.

    Each evicted sample is of the largest class: one of its two closest samples if they are
    near-duplicates, otherwise any. Of these, it is the one whose ID is the seed of the lowest first
    random number (`RandomNumbers`): the remaining samples are a random draw from all samples of the
    class. Near-duplicates are searched once.

    Args:
        database: database of the store.
        codec: codec of the features.
        newest: ID of the sample that was just added; it is not evicted.
        limits: limits of the store.
        by_class: whether to evict from the largest class; otherwise (regression) from all.
    """
    search = True
    while _is_over(database, limits):
        members = _largest_class(database, newest) if by_class else []
        members = members or database.rows("SELECT id, feature_rows FROM sample ORDER BY id")
        pair = _near_duplicates(database, codec, members[-_LATEST:]) if search else []
        search = False
        candidates = pair or [number for number, _ in members]
        chosen = min((n for n in candidates if n != newest), key=_priority)
        delete_samples(database, [chosen], evicted=True)


def _is_over(database: Database, limits: Limits) -> bool:
    return any(
        bound is not None and database.rows(query)[0][0] > bound
        for bound, query in (
            (limits.max_samples, "SELECT count(*) FROM sample"),
            (limits.max_bytes, "SELECT sum(bytes) FROM sample"),
        )
    )


def _largest_class(database: Database, newest: int) -> list[Row]:
    """Return (ID, number of rows) of the largest class with samples other than the newest."""
    classes = database.rows(
        "SELECT class FROM target WHERE value > 0 GROUP BY class ORDER BY count(*) DESC, class"
    )
    for (number,) in classes:
        members = database.rows(
            "SELECT id, feature_rows FROM target JOIN sample ON id = sample "
            "WHERE class = ? AND value > 0 ORDER BY id",
            number,
        )
        if any(sample != newest for sample, _ in members):
            return members
    return []


def _near_duplicates(database: Database, codec: FeatureCodec, members: list[Row]) -> list[int]:
    """Return the two closest of these samples if they are near-duplicates, otherwise none."""
    if len(members) < 3:
        return []
    counts = [rows for _, rows in members]
    firsts = np.cumsum(counts) - counts  # the samples themselves, without augmentations
    features = read_features(database, codec, members)
    rows = np.concatenate([each[firsts].reshape(len(members), -1) for each in features], axis=1)
    one, other = np.triu_indices(len(rows), 1)
    distances = _distances(rows)
    closest = int(distances.argmin())
    if distances[closest] >= _NEAR * np.sort(distances)[len(distances) // 2]:
        return []
    return [members[one[closest]][0], members[other[closest]][0]]


def _distances(rows: np.ndarray) -> np.ndarray:
    """Return the distance of each pair of rows, in the order of `np.triu_indices`.

    A matrix product is not faster for 64 rows, and starts threads.
    """
    squares = []
    for at, row in enumerate(rows):
        differences = rows[at + 1 :] - row
        squares.append(np.einsum("ij,ij->i", differences, differences))
    distances: np.ndarray = np.sqrt(np.concatenate(squares))
    return distances


def _priority(sample: int) -> int:
    return int(RandomNumbers(sample).draw(1)[0])
