"""Normalization of features: a center and a scale, computed from the training samples."""

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
from ._features import dot, flat_size, sum_elements
from .head import Parameter

__all__ = [
    "DEFAULT_NORM",
    "compute_statistics",
    "normalization_parameters",
    "normalize",
    "normalized_linear",
]

DEFAULT_NORM = 2.0
"""Root mean square of the Euclidean norms of normalized features."""

_MIN_DIVISOR = 1e-37
_MIN_MAGNITUDE = 1e-35
_ROUNDING = 1e-5  # rows with a smaller relative spread are equal up to rounding


def normalization_parameters(features: Sequence[tuple[int, ...]]) -> list[Parameter]:
    """Return `center` [F] and `scale` [1], initially 0 and 1: no normalization."""
    center = np.zeros(flat_size(features), np.float32)
    return [
        Parameter("center", center, trainable=False),
        Parameter("scale", np.ones(1, np.float32), trainable=False),
    ]


def normalize(rows: Tensor, parameters: Mapping[str, Tensor]) -> Tensor:
    """Return `(x − center) · scale` for rows [N, F]."""
    return mul(sub(rows, parameters["center"]), parameters["scale"])


def normalized_linear(rows: Tensor, weights: Tensor, parameters: Mapping[str, Tensor]) -> Tensor:
    """Return `normalize(rows) · Wᵀ`; the scale is applied to the product, which is smaller."""
    return mul(linear(sub(rows, parameters["center"]), weights), parameters["scale"])


def compute_statistics(rows: Tensor, sample_weights: Tensor, norm: float) -> dict[str, Tensor]:
    """Return `center` and `scale` of some rows.

    The center is the mean of the rows, or 0 if all rows are equal. Rows are divided by the mean of
    `Σ |x|` before they are squared, so that values from 1e-30 to 1e30 stay in the float32 range.

    Args:
        rows: [B, F].
        sample_weights: [B].
        norm: root mean square of `‖(x − center) · scale‖`; > 0.
    """
    fractions = div(sample_weights, maximum(sum_elements(sample_weights), 1e-6))
    column = reshape(fractions, (-1, 1))
    magnitudes = reduce_sum(maximum(rows, neg(rows)), [1])
    magnitude = maximum(dot(magnitudes, fractions), _MIN_MAGNITUDE)
    unit_rows = div(rows, magnitude)
    center = reduce_sum(mul(unit_rows, column), [0])
    norm_from_zero = _root_mean_square(unit_rows, fractions)
    norm_from_center = _root_mean_square(sub(unit_rows, center), fractions)
    differ = greater(norm_from_center, mul(norm_from_zero, _ROUNDING))
    current_norm = maximum(
        mul(select(differ, norm_from_center, norm_from_zero), magnitude), _MIN_DIVISOR
    )
    return {
        "center": select(differ, mul(center, magnitude), 0.0),
        "scale": select(greater(norm_from_zero, 0.0), div(norm, current_norm), 1.0),
    }


def _root_mean_square(rows: Tensor, fractions: Tensor) -> Tensor:
    """Return the root of the weighted mean of `‖x‖²`: [1]."""
    return sqrt(dot(reduce_sum(square(rows), [1]), fractions))
