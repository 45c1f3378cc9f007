"""Which samples go when a store is full: near-duplicates first, else any of the largest class.

Measured on the clothing photos with two bases, 20 draws of 200 samples of which 20, 50 or 100 are
kept, against a fair draw. Where every photo is another: the same to 0.2 points; with bursts of four
frames: 1 to 6 points better; where most of a class shows one photo: 5 to 13 points better. Always
dropping the closest pair does as well there, but up to 5 points worse where every photo is another.
"""

from __future__ import annotations

import hashlib

import numpy as np

from .codec import FeatureCodec
from .database import Database, Row
from .reading import read_features
from .writing import delete_samples

__all__ = ["make_room"]

_NEAR = 0.5  # of the median distance: two samples that are closer are near-duplicates
_LATEST = 64  # samples that are looked at for near-duplicates, which come in bursts


def make_room(
    database: Database,
    codec: FeatureCodec,
    newest: int,
    max_samples: int | None,
    max_bytes: int | None,
    *,
    by_class: bool,
) -> None:
    """Take samples away until the store is within its bounds; the caller is in a transaction.

    Each goes from the class that has most: one of its two closest samples, if they are far closer
    than others; else the one that a hash of the ids chooses, so that what stays of a class is a
    fair draw from all that it ever had. Where several must go at once, the others are drawn.

    Args:
        database: the store's.
        codec: of the model's features.
        newest: the id of the sample that was just added; it stays.
        max_samples: the most samples; None for any number.
        max_bytes: the most bytes of features and pictures; None for any number.
        by_class: take from the class that has most; else, as for a regression, from all.
    """
    look = True
    while _is_over(database, max_samples, max_bytes):
        members = _largest_class(database, newest) if by_class else []
        members = members or database.rows("SELECT id, views FROM sample ORDER BY id")
        pair = _near_duplicates(database, codec, members[-_LATEST:]) if look else []
        look = False
        candidates = pair or [number for number, _ in members]
        delete_samples(database, [min((n for n in candidates if n != newest), key=_priority)])


def _is_over(database: Database, max_samples: int | None, max_bytes: int | None) -> bool:
    return any(
        bound is not None and database.rows(query)[0][0] > bound
        for bound, query in (
            (max_samples, "SELECT count(*) FROM sample"),
            (max_bytes, "SELECT sum(bytes) FROM sample"),
        )
    )


def _largest_class(database: Database, newest: int) -> list[Row]:
    """(id, views) of the samples of the class that has most, and others than the newest one."""
    classes = database.rows(
        "SELECT class FROM target WHERE value > 0 GROUP BY class ORDER BY count(*) DESC, class"
    )
    for (number,) in classes:
        members = database.rows(
            "SELECT id, views FROM target JOIN sample ON id = sample "
            "WHERE class = ? AND value > 0 ORDER BY id",
            number,
        )
        if any(sample != newest for sample, _ in members):
            return members
    return []


def _near_duplicates(database: Database, codec: FeatureCodec, members: list[Row]) -> list[int]:
    """The two closest of these samples, if they are near-duplicates; else none."""
    if len(members) < 3:
        return []
    views = [views for _, views in members]
    firsts = np.cumsum(views) - views
    features = read_features(database, codec, members)
    rows = np.concatenate([each[firsts].reshape(len(members), -1) for each in features], axis=1)
    one, other = np.triu_indices(len(rows), 1)
    distances = _distances(rows)
    closest = int(distances.argmin())
    if distances[closest] >= _NEAR * np.sort(distances)[len(distances) // 2]:
        return []
    return [members[one[closest]][0], members[other[closest]][0]]


def _distances(rows: np.ndarray) -> np.ndarray:
    """Of each pair of rows, in the order of `np.triu_indices`.

    Row by row: a matrix product is no faster for so few, and starts threads.
    """
    squares = []
    for at, row in enumerate(rows):
        apart = rows[at + 1 :] - row
        squares.append(np.einsum("ij,ij->i", apart, apart))
    distances: np.ndarray = np.sqrt(np.concatenate(squares))
    return distances


def _priority(sample: int) -> bytes:
    return hashlib.blake2b(sample.to_bytes(8, "big"), digest_size=8).digest()
