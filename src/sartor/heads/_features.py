"""Features as rows, and sums over them."""

from __future__ import annotations

import math
from collections.abc import Sequence

from ..graph import Tensor
from ..ops import concatenation, div, flatten, maximum, mul, reduce_sum, reshape

__all__ = ["dot", "flat_size", "flatten_features", "sum_elements", "weighted_mean"]


def flat_size(features: Sequence[tuple[int, ...]]) -> int:
    """Return F, the number of elements of features of these shapes."""
    return sum(math.prod(shape) for shape in features)


def flatten_features(features: Sequence[Tensor]) -> Tensor:
    """Flatten and concatenate features: [N, F]."""
    rows = [flatten(tensor) for tensor in features]
    return rows[0] if len(rows) == 1 else concatenation(rows, 1)


def weighted_mean(rows: Tensor, sample_weights: Tensor) -> Tensor:
    """Return the weighted mean of rows [N, F], or 0 if all weights are 0: [1, F]."""
    fractions = div(sample_weights, maximum(sum_elements(sample_weights), 1e-6))
    return reduce_sum(mul(rows, reshape(fractions, (-1, 1))), [0], keep_dims=True)


def dot(x: Tensor, y: Tensor) -> Tensor:
    """Return `Σ x · y` of two tensors [N], as [1]."""
    return sum_elements(mul(x, y))


def sum_elements(x: Tensor) -> Tensor:
    """Return the sum of a tensor [N], as [1]."""
    return reduce_sum(x, [0], keep_dims=True)
