"""How a head sees features: about a center, and at one size, whatever the base gives."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from ..graph import Tensor
from ..ops import (
    div,
    greater,
    linear,
    maximum,
    mul,
    neg,
    reduce_sum,
    reshape,
    select,
    sqrt,
    square,
    sub,
)
from ._rows import dot, row_size, total
from .head import Parameter

__all__ = ["LENGTH", "seen", "seen_through", "view_of", "view_parameters"]

LENGTH = 2.0
"""What the root mean square of the features' lengths becomes, where a head is not told."""

_SMALLEST = 1e-37  # is divided by at least
_LEAST_SIZE = 1e-35
_ALIKE = 1e-5  # rows that differ by less, for their length, differ by rounding


def view_parameters(features: Sequence[tuple[int, ...]]) -> list[Parameter]:
    """`center` [F] and `scale` [1], with which features are seen as they are until `set_class`."""
    center = np.zeros(row_size(features), np.float32)
    return [
        Parameter("center", center, trained=False),
        Parameter("scale", np.ones(1, np.float32), trained=False),
    ]


def seen(rows: Tensor, parameters: Mapping[str, Tensor]) -> Tensor:
    """`(x − center) · scale` of rows [N, F]."""
    return mul(sub(rows, parameters["center"]), parameters["scale"])


def seen_through(rows: Tensor, weights: Tensor, parameters: Mapping[str, Tensor]) -> Tensor:
    """`seen(rows) · Wᵀ`: scaled behind the product, where there are fewer numbers."""
    return mul(linear(sub(rows, parameters["center"]), weights), parameters["scale"])


def view_of(rows: Tensor, weights: Tensor, length: float) -> dict[str, Tensor]:
    """The `center` of some rows, and the `scale` that brings them to a length about it.

    Where all rows are the same there is nothing to see about their mean: then the center is 0.
    Sums are taken of what was divided by the mean of `Σ |x|`, so that neither 1e30 nor 1e-30
    leaves float32 by being squared.

    Args:
        rows: [B, F].
        weights: [B].
        length: the root mean square of `‖(x − center) · scale‖`; > 0.
    """
    shares = div(weights, maximum(total(weights), 1e-6))
    column = reshape(shares, (-1, 1))
    sizes = reduce_sum(maximum(rows, neg(rows)), [1])
    size = maximum(dot(sizes, shares), _LEAST_SIZE)
    near_one = div(rows, size)
    center = reduce_sum(mul(near_one, column), [0])
    whole = _length(near_one, shares)
    spread = _length(sub(near_one, center), shares)
    differ = greater(spread, mul(whole, _ALIKE))
    measured = maximum(mul(select(differ, spread, whole), size), _SMALLEST)
    return {
        "center": select(differ, mul(center, size), 0.0),
        "scale": select(greater(whole, 0.0), div(length, measured), 1.0),
    }


def _length(rows: Tensor, shares: Tensor) -> Tensor:
    """The root of the weighted mean of `‖x‖²`: [1]."""
    return sqrt(dot(reduce_sum(square(rows), [1]), shares))
