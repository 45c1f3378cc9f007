"""Making a class of its samples, for output layers `x · Wᵀ + b`."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from ..graph import Tensor
from ..ops import (
    add,
    div,
    greater,
    l2_normalization,
    matmul,
    maximum,
    mul,
    reduce_sum,
    relu,
    reshape,
    rsqrt,
    select,
    sqrt,
    square,
    sub,
    zeros_like,
)
from ._rows import dot, mean_direction, total

__all__ = ["imprint_label", "imprint_softmax", "imprint_zero"]

_STEEPNESS = 4.0  # the logit of a label that was just made: from −3 at right angles to 1


def imprint_softmax(
    rows: Tensor, weights: Tensor, parameters: Mapping[str, Tensor], others: Tensor
) -> dict[str, Tensor]:
    """Point the class's weights the way its samples lie (see `Head.imprint`).

    `u` is the direction of the samples' mean, each brought to length 1; `W̄` is what the other
    active classes have in common, and `ρ` how far they lie from it on average; `p` is the part
    of `u` that `W̄` does not explain. Then

        w = gain · u + max(ρ − gain · ‖p‖, 0) · p/‖p‖,    b = the mean of the others' b.

    Among classes that are only imprinted that is `gain · u`, with one gain for all: the first
    class sets it, so that its own samples have logits of about 1. Beside trained classes the
    class's own direction is lifted to their magnitude, and the common one is left alone.

    Args:
        rows: [B, F]; what the layer takes.
        weights: [B].
        parameters: of them `weights`, `bias` and `gain`.
        others: [C].
    """
    classes, bias = parameters["weights"], parameters["bias"]
    count = maximum(total(others), 1.0)
    common = div(matmul(reshape(others, (1, -1)), classes), count)
    apart = sqrt(reduce_sum(square(sub(classes, common)), [1]))
    spread = div(dot(apart, others), count)
    gain = _gain(rows, weights, parameters["gain"], others)

    direction = mean_direction(rows, weights)
    shared = l2_normalization(common)
    along = reduce_sum(mul(direction, shared), [1], keep_dims=True)
    own = sub(direction, mul(shared, along))
    length = reshape(sqrt(reduce_sum(square(own), [1])), (1,))
    lift = mul(l2_normalization(own), relu(sub(spread, mul(gain, length))))
    return {
        "weights": add(mul(direction, gain), lift),
        "bias": div(dot(bias, others), count),
        "gain": gain,
    }


def imprint_label(rows: Tensor, weights: Tensor) -> dict[str, Tensor]:
    """Let an output that stands for itself say yes to what lies as its samples do.

    With `u` as for `imprint_softmax` and `ρ` the samples' length, `w = 4 · u/ρ` and `b = −3`: the
    logit of such a sample is about 1, and −3 of one at right angles to them.
    """
    steep = mul(_inverse_length(rows, weights), _STEEPNESS)
    return {
        "weights": mul(mean_direction(rows, weights), steep),
        "bias": rows.graph.constant(np.array([1 - _STEEPNESS], np.float32)),
    }


def imprint_zero(rows: Tensor, weights: Tensor) -> dict[str, Tensor]:
    """Start at zero; the samples are taken, as every signature's inputs are, and do not count."""
    nothing = mul(zeros_like(rows), reshape(zeros_like(weights), (-1, 1)))
    return {"weights": reduce_sum(nothing, [0], keep_dims=True)}


def _gain(rows: Tensor, weights: Tensor, gain: Tensor, others: Tensor) -> Tensor:
    """The gain in use, or for the first class one that brings its logits to about 1: [1]."""
    in_use = mul(gain, total(others))
    return select(greater(in_use, 0.0), gain, _inverse_length(rows, weights))


def _inverse_length(rows: Tensor, weights: Tensor) -> Tensor:
    """`1 / √(mean of ‖x‖²)`; 0 where all is 0: [1]."""
    squares = reduce_sum(square(rows), [1])
    mean = div(dot(squares, weights), maximum(total(weights), 1e-6))
    return select(greater(mean, 0.0), rsqrt(maximum(mean, 1e-30)), 0.0)
