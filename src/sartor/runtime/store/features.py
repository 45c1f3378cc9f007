"""Read the features of samples, and compare their checksums."""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from ...contract.sample_store import checksum
from .codec import FeatureCodec
from .database import Database
from .faults import damaged

__all__ = ["check_finite", "encoded_features", "read_features"]

_IDS_OF_QUERY = 500  # below the limit of 999 parameters in older versions of SQLite


def read_features(
    database: Database, codec: FeatureCodec, samples: Iterable[tuple[int, int]]
) -> list[np.ndarray]:
    """Return the features of samples, in their order: float32 [rows, …] for each tensor.

    Args:
        database: database of the store.
        codec: codec of the features.
        samples: pairs (sample ID, number of rows).

    Raises:
        StoreError: If the features of a sample are damaged.
    """
    groups: dict[str, list[bytes]] = defaultdict(list)
    indices: dict[str, list[np.ndarray]] = defaultdict(list)
    owners: list[int] = []  # the sample of each row
    for number, rows, encoding, data in encoded_features(database, codec, samples):
        groups[encoding].append(data)
        indices[encoding].append(np.arange(len(owners), len(owners) + rows))
        owners += [number] * rows
    features = codec.empty(len(owners))
    for encoding, group in groups.items():
        index = np.concatenate(indices[encoding])
        for tensor, decoded in zip(features, codec.decode(encoding, group), strict=True):
            tensor[index] = decoded
    check_finite(database, features, owners)
    return features


def check_finite(database: Database, features: Sequence[np.ndarray], owners: Sequence[int]) -> None:
    """Raise StoreError if a number of the features is not finite.

    Args:
        database: database of the store.
        features: float32 [N, …] for each features tensor.
        owners: ID of the sample of each row.
    """
    for tensor in features:
        if not np.isfinite(tensor).all():
            row = int(np.isfinite(tensor.reshape(len(owners), -1)).all(1).argmin())
            raise damaged(database.name, f"the features of sample {owners[row]} are not finite")


def encoded_features(
    database: Database, codec: FeatureCodec, samples: Iterable[tuple[int, int]]
) -> Iterator[tuple[int, int, str, bytes]]:
    """Return sample ID, number of rows, encoding and bytes of the features of each sample.

    Samples that are not in the store are left out; see `read_features`.
    """
    remaining = iter(samples)
    while some := dict(itertools.islice(remaining, _IDS_OF_QUERY)):
        stored = {
            number: columns
            for number, *columns in database.rows(
                "SELECT sample, encoding, checksum, CASE WHEN typeof(data) = 'blob' "
                "AND length(data) <= ? THEN data END FROM features "
                f"WHERE sample IN ({', '.join('?' * len(some))})",
                codec.max_size() * max(some.values()), *some,
            )
        }  # fmt: skip
        for number, rows in some.items():
            if number not in stored and not _is_stored(database, number):
                continue
            encoding, expected, data = stored.get(number, ("", 0, None))
            if (
                data is None
                or not codec.is_valid(encoding)
                or len(data) != codec.size(encoding) * rows
                or checksum(number, encoding, data) != expected
            ):
                raise damaged(database.name, f"the features of sample {number} have changed")
            yield number, rows, encoding, data


def _is_stored(database: Database, sample: int) -> bool:
    return bool(database.rows("SELECT 1 FROM sample WHERE id = ?", sample))
