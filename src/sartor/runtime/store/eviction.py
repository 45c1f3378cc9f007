"""Which samples go when a store is full: a random subset stays, with as many of each class."""

from __future__ import annotations

import hashlib

from .database import Database
from .writing import delete_samples

__all__ = ["make_room"]


def make_room(
    database: Database,
    newest: int,
    max_samples: int | None,
    max_bytes: int | None,
    *,
    by_class: bool,
) -> None:
    """Take samples away until the store is within its bounds; the caller is in a transaction.

    Each goes from the class that has most. Which one, a hash of the ids decides: what stays of a
    class is a fair draw from all that it ever had, the same wherever it is drawn.

    Args:
        database: the store's.
        newest: the id of the sample that was just added; it stays.
        max_samples: the most samples; None for any number.
        max_bytes: the most bytes of features and pictures; None for any number.
        by_class: take from the class that has most; else, as for a regression, from all.
    """
    while _is_over(database, max_samples, max_bytes):
        candidates = _of_largest_class(database, newest) if by_class else []
        candidates = candidates or _all(database, newest)
        delete_samples(database, [min(candidates, key=_priority)])


def _is_over(database: Database, max_samples: int | None, max_bytes: int | None) -> bool:
    return any(
        bound is not None and database.rows(query)[0][0] > bound
        for bound, query in (
            (max_samples, "SELECT count(*) FROM sample"),
            (max_bytes, "SELECT sum(bytes) FROM sample"),
        )
    )


def _of_largest_class(database: Database, newest: int) -> list[int]:
    classes = database.rows(
        "SELECT class FROM target WHERE value > 0 GROUP BY class ORDER BY count(*) DESC, class"
    )
    for (number,) in classes:
        query = "SELECT sample FROM target WHERE class = ? AND value > 0 AND sample <> ?"
        found = [sample for (sample,) in database.rows(query, number, newest)]
        if found:
            return found
    return []


def _all(database: Database, newest: int) -> list[int]:
    return [sample for (sample,) in database.rows("SELECT id FROM sample WHERE id <> ?", newest)]


def _priority(sample: int) -> bytes:
    return hashlib.blake2b(sample.to_bytes(8, "big"), digest_size=8).digest()
