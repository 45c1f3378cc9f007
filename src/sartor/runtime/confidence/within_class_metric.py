"""A metric in which the samples of a class differ less: Mahalanobis cosine similarity."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from ...contract.checkpoint import OOD_DIRECTIONS
from ...errors import CheckpointError

__all__ = ["WithinClassMetric"]

_MOST_DIRECTIONS = 64
_RIDGE = 0.3  # of the mean square of the residuals
_EPSILON = 1e-6
_LARGEST_SQUARE = 1.001  # V Vᵀ is at most I


@dataclass(frozen=True)
class WithinClassMetric:
    """The inner product `⟨a, b⟩ = a · b − (V a) · (V b)`.

    V follows from the residuals R of a few samples, their differences to the means of their
    classes: `V = L⁻¹ R`, with `L Lᵀ = R Rᵀ + λ I`. By the Woodbury identity, the metric is the
    inverse of `I + Rᵀ R / λ`, a regularized covariance within the classes, as in a Mahalanobis
    distance, without a matrix of F² numbers.

    Attributes:
        directions: V, float32 [D, F]; D is at most 64. The metric is plain without directions.
    """

    directions: np.ndarray

    @classmethod
    def plain(cls, size: int) -> WithinClassMetric:
        """Return the plain inner product of vectors of `size` numbers."""
        return cls(np.zeros((0, size), np.float32))

    @classmethod
    def fit(
        cls, rows: np.ndarray, class_indices: np.ndarray, most: int = _MOST_DIRECTIONS
    ) -> WithinClassMetric:
        """Fit the metric to samples.

        Args:
            rows: float32 [N, F], each of length 1; N at least 1.
            class_indices: int [N]; class index of each row.
            most: largest number of directions, 1 or more; above 64 is 64. Default: 64.
        """
        count, size = rows.shape
        directions = min(_MOST_DIRECTIONS, count, most)
        chosen = np.arange(directions) * count // directions
        residuals = rows[chosen].astype(np.float64)
        for index in np.unique(class_indices[chosen]):
            mean = rows[class_indices == index].mean(0, dtype=np.float64)
            residuals[class_indices[chosen] == index] -= mean
        products = residuals @ residuals.T
        mean_square = float(np.trace(products)) / directions
        if mean_square < _EPSILON:
            return cls.plain(size)
        products[np.diag_indices(directions)] += _RIDGE * mean_square
        whitened = np.linalg.solve(np.linalg.cholesky(products), residuals)
        return cls(whitened.astype(np.float32))

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, np.ndarray], size: int) -> WithinClassMetric:
        """Create a metric of vectors of `size` numbers from the tensors of a checkpoint.

        Raises:
            CheckpointError: If the directions have another shape, or values that none can have.
        """
        directions = arrays.get(OOD_DIRECTIONS)
        if directions is None:
            return cls.plain(size)
        shape = directions.shape
        if len(shape) != 2 or not 0 < shape[0] <= _MOST_DIRECTIONS or shape[1] != size:
            raise CheckpointError(
                f"expected {OOD_DIRECTIONS} [D, {size}] with D at most {_MOST_DIRECTIONS}, got "
                f"{list(shape)}: the checkpoint is damaged"
            )
        if np.square(directions).sum(1).max() > _LARGEST_SQUARE:
            raise CheckpointError(
                f"{OOD_DIRECTIONS} has rows longer than 1: the checkpoint is damaged"
            )
        return cls(directions)

    def transform(self, prototypes: np.ndarray) -> np.ndarray:
        """Return vectors whose products with samples are similarities, but for `norms`.

        `x · p′ / √⟨x, x⟩` is the cosine similarity of x and p in this metric, times the length
        of p.

        Args:
            prototypes: float32 [R, F].

        Returns:
            float32 [R, F]: `p′ = |p| (p − Vᵀ V p) / √⟨p, p⟩`.
        """
        lengths = np.linalg.norm(prototypes, axis=1) / self.norms(prototypes)
        inner = prototypes - prototypes @ self.directions.T @ self.directions
        return np.asarray(lengths[:, np.newaxis] * inner)

    def sum_similarities(self, rows: np.ndarray, class_indices: np.ndarray) -> np.ndarray:
        """Return two sums whose ratio is the mean cosine similarity of two rows of a class.

        Args:
            rows: float32 [N, F].
            class_indices: int [N]; class index of each row.

        Returns:
            float64 [2]: the sums of `n ‖mean‖² − 1` and of `n − 1` over the classes, with n rows,
            scaled to norm 1.
        """
        unit_rows, sums = rows / self.norms(rows)[:, np.newaxis], np.zeros(2)
        for index in np.unique(class_indices):
            members = unit_rows[class_indices == index]
            norm = float(self.norms(members.mean(0, keepdims=True))[0])
            sums += len(members) * norm**2 - 1, len(members) - 1
        return sums

    def norms(self, rows: np.ndarray) -> np.ndarray:
        """Return the norms `√⟨x, x⟩` of rows, float32 [N, F], in this metric: float32 [N]."""
        squares = np.square(rows).sum(1) - np.square(rows @ self.directions.T).sum(1)
        return np.asarray(np.sqrt(np.maximum(squares, _EPSILON)))
