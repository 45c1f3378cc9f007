"""Clipping of gradients."""

from __future__ import annotations

from ..graph import Tensor
from ..ops import add, div, maximum, mul, reduce_sum, reshape, sqrt, square

__all__ = ["clip_by_global_norm"]


def clip_by_global_norm(gradients: list[Tensor], limit: float) -> list[Tensor]:
    """Emit the gradients, times `limit / max(norm, limit)` with their global norm."""
    total = _sum_of_squares(gradients[0])
    for gradient in gradients[1:]:
        total = add(total, _sum_of_squares(gradient))
    scale = div(limit, maximum(sqrt(total), limit))
    return [mul(gradient, scale) for gradient in gradients]


def _sum_of_squares(gradient: Tensor) -> Tensor:
    return reshape(reduce_sum(square(gradient), range(gradient.rank)), (1,))
