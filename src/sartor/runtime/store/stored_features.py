"""Features that stay in the store until a batch of them is needed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import overload

import numpy as np

from .codec import FeatureCodec
from .database import Database
from .features import check_finite, encoded_features

__all__ = ["StoredFeatures", "take_rows"]


class StoredFeatures(Sequence[np.ndarray]):
    """Features of N rows in a store; `read` returns some of them.

    In a file with tuned layers, the features of a sample are ten thousand to two hundred thousand
    numbers: those of all samples do not fit in the memory of a small device. As a sequence, this is
    float32 [N, …] for each features tensor, with all rows in memory.

    The rows stay those at the time of the creation. A row of a sample that another thread or
    process has deleted since is zeros.

    Args:
        database: database of the store.
        codec: codec of the features.
        samples: int64 [N]; ID of the sample of each row.
        places: int64 [N]; place of each row among those of its sample.
        counts: int64 [N]; number of rows of its sample.
    """

    def __init__(
        self,
        database: Database,
        codec: FeatureCodec,
        samples: np.ndarray,
        places: np.ndarray,
        counts: np.ndarray,
    ) -> None:
        self._database = database
        self._codec = codec
        self._samples = samples
        self._places = places
        self._counts = counts

    @classmethod
    def of_samples(
        cls, database: Database, codec: FeatureCodec, samples: Sequence[tuple[int, int]]
    ) -> StoredFeatures:
        """Return the features of samples, in their order.

        Args:
            database: database of the store.
            codec: codec of the features.
            samples: pairs (sample ID, number of rows).
        """
        ids, counts = np.array(samples, np.int64).reshape(-1, 2).T
        places = [np.arange(count) for count in counts]
        return cls(
            database,
            codec,
            np.repeat(ids, counts),
            np.concatenate([np.zeros(0, np.int64), *places]),
            np.repeat(counts, counts),
        )

    def __len__(self) -> int:
        return self._codec.tensors

    @overload
    def __getitem__(self, index: int) -> np.ndarray: ...

    @overload
    def __getitem__(self, index: slice) -> list[np.ndarray]: ...

    def __getitem__(self, index: int | slice) -> np.ndarray | list[np.ndarray]:
        return self.read(np.arange(self.rows))[0][index]

    @property
    def rows(self) -> int:
        """Number of rows, N."""
        return len(self._samples)

    def take(self, rows: np.ndarray) -> StoredFeatures:
        """Return some of the rows, without reading them; `rows` are indices, or bool [N]."""
        return StoredFeatures(
            self._database,
            self._codec,
            self._samples[rows],
            self._places[rows],
            self._counts[rows],
        )

    def read(self, rows: np.ndarray) -> tuple[list[np.ndarray], np.ndarray]:
        """Return rows from the store, and whether the sample of each is there.

        Args:
            rows: int [n]; row indices.

        Returns:
            float32 [n, …] for each features tensor, and bool [n].

        Raises:
            StoreError: If the features of a sample are damaged, or the store is closed.
        """
        samples, places = self._samples[rows], self._places[rows]
        wanted = dict(zip(samples.tolist(), self._counts[rows].tolist(), strict=True))
        features, is_stored = self._codec.zeros(len(rows)), np.zeros(len(rows), bool)
        with self._database.reading():
            stored = encoded_features(self._database, self._codec, wanted.items())
            for number, count, encoding, data in stored:
                indices, size = np.flatnonzero(samples == number), len(data) // count
                parts = [data[size * place : size * (place + 1)] for place in places[indices]]
                tensors = self._codec.decode(encoding, parts)
                check_finite(self._database, tensors, [number] * len(parts))
                for batch, decoded in zip(features, tensors, strict=True):
                    batch[indices] = decoded
                is_stored[indices] = True
        return features, is_stored

    def present(self) -> np.ndarray:
        """Return whether the sample of each row is still in the store: bool [N]."""
        ids = self._database.rows("SELECT id FROM sample")
        return np.isin(self._samples, np.array(ids, np.int64))


def take_rows(features: Sequence[np.ndarray], rows: np.ndarray) -> Sequence[np.ndarray]:
    """Return some of the rows of each features tensor; those of a store are not read.

    Args:
        features: float32 [N, …] for each features tensor.
        rows: indices, or bool [N].
    """
    if isinstance(features, StoredFeatures):
        return features.take(rows)
    return [each[rows] for each in features]
