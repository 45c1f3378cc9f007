"""Features as rows, and what rows have in common."""

from __future__ import annotations

import math
from collections.abc import Sequence

from ..graph import Tensor
from ..ops import (
    concatenation,
    flatten,
    l2_normalization,
    mul,
    reduce_sum,
    reshape,
)

__all__ = ["as_rows", "dot", "mean_direction", "row_size", "total"]


def row_size(features: Sequence[tuple[int, ...]]) -> int:
    """The elements of features of these shapes."""
    return sum(math.prod(shape) for shape in features)


def as_rows(features: Sequence[Tensor]) -> Tensor:
    """Features flattened and joined: [N, F]."""
    flat = [flatten(tensor) for tensor in features]
    return flat[0] if len(flat) == 1 else concatenation(flat, 1)


def mean_direction(rows: Tensor, weights: Tensor) -> Tensor:
    """The direction of the rows' weighted mean, each brought to length 1: [1, F]."""
    column = reshape(weights, (-1, 1))
    toward = reduce_sum(mul(l2_normalization(rows), column), [0], keep_dims=True)
    return l2_normalization(toward)


def dot(x: Tensor, y: Tensor) -> Tensor:
    """`Σ x · y` of two tensors [N], as [1]."""
    return total(mul(x, y))


def total(x: Tensor) -> Tensor:
    """The sum of a tensor [N], as [1]."""
    return reduce_sum(x, [0], keep_dims=True)
