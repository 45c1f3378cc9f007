"""The weighted mean of the losses of a batch."""

from __future__ import annotations

from ..graph import Tensor
from ..ops import div, maximum, mul, reduce_sum

__all__ = ["weighted_mean"]


def weighted_mean(values: Tensor, weights: Tensor) -> Tensor:
    """Emit `Σ value · weight / max(Σ weight, 1e-6)`, as [1]; both have the same shape."""
    total, weight = _sum(mul(values, weights)), _sum(weights)
    return div(total, maximum(weight, 1e-6))


def _sum(x: Tensor) -> Tensor:
    """Emit the sum of all elements, as [1]."""
    rows = x if x.rank == 1 else reduce_sum(x, range(1, x.rank))
    return reduce_sum(rows, [0], keep_dims=True)
