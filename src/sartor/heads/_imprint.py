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
    minimum,
    mul,
    reduce_sum,
    relu,
    reshape,
    rsqrt,
    select,
    softmax,
    sqrt,
    square,
    sub,
    zeros_like,
)
from ._rows import dot, mean_direction, total

__all__ = ["imprint_label", "imprint_softmax", "imprint_zero"]

_SMALLEST = 1e-37  # is divided by at least
_STEEPNESS_OF_HIGHEST = 10.0  # by the deviation: how nearly a softmax is a maximum
_STEEPNESS = 4.0  # the logit of a label that was just made: from −3 at right angles to 1


def imprint_softmax(
    rows: Tensor, weights: Tensor, parameters: Mapping[str, Tensor], others: Tensor
) -> dict[str, Tensor]:
    """Point the class's weights the way its samples lie (see `Head.imprint`).

    `u` is the direction of the samples' mean, each brought to length 1; `W̄` is what the other
    active classes have in common, and `ρ` how far they lie from it on average; `p` is the part
    of `u` that `W̄` does not explain (all of it where it points away). Then

        w = gain · u + λ · p/‖p‖,    b = b̄ − min(λ/ρ · σ, m/2),    λ = max(ρ − gain · ‖p‖, 0)

    with `b̄` the mean of the others' b, `σ` the standard deviation of their logits of the samples'
    mean, and `m` by how much its logit with b̄ is above the highest of them. Among classes that
    are only imprinted that is about `gain · u` and `b̄`, with one gain for all: the first class
    sets it, so that its own samples have logits of about 1. Beside trained classes the class's
    own direction is lifted to their magnitude, and the common one is left alone. The others have
    learned to keep clear of one another, and not of this one: so it is held back by σ, and takes
    few of their samples.

    Args:
        rows: [B, F]; what the layer takes.
        weights: [B].
        parameters: of them `weights`, `bias` and `gain`.
        others: [C].
    """
    classes, bias = parameters["weights"], parameters["bias"]
    count = maximum(total(others), 1.0)
    common = div(matmul(reshape(others, (1, -1)), classes), count)
    lengths = sqrt(reduce_sum(square(sub(classes, common)), [1]))
    spread = div(dot(lengths, others), count)
    gain = _gain(rows, weights, parameters["gain"], others)

    direction = mean_direction(rows, weights)
    shared = l2_normalization(common)
    along = relu(reduce_sum(mul(direction, shared), [1], keep_dims=True))
    own = sub(direction, mul(shared, along))
    length = reshape(sqrt(reduce_sum(square(own), [1])), (1,))
    lift = relu(sub(spread, mul(gain, length)))
    made = add(mul(direction, gain), mul(l2_normalization(own), lift))
    mean_bias = div(dot(bias, others), count)
    apart, margin = _beside(rows, weights, made, mean_bias, parameters, others, count)
    held_back = minimum(mul(div(lift, maximum(spread, _SMALLEST)), apart), mul(margin, 0.5))
    return {"weights": made, "bias": sub(mean_bias, held_back), "gain": gain}


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


def _beside(
    rows: Tensor,
    weights: Tensor,
    made: Tensor,
    bias: Tensor,
    parameters: Mapping[str, Tensor],
    others: Tensor,
    count: Tensor,
) -> tuple[Tensor, Tensor]:
    """What the other classes say to the mean of a new class's rows.

    Returns:
        The standard deviation of their logits, and by how much the new class's is above the
        highest of them, or 0: [1] each.
    """
    shares = reshape(div(weights, maximum(total(weights), 1e-6)), (-1, 1))
    mean = reduce_sum(mul(rows, shares), [0], keep_dims=True)
    logits = add(
        reshape(matmul(mean, parameters["weights"], adj_y=True), (-1,)), parameters["bias"]
    )
    level = div(dot(logits, others), count)
    away = mul(sub(logits, level), others)
    apart = sqrt(div(total(square(away)), count))
    steep = div(mul(away, _STEEPNESS_OF_HIGHEST), maximum(apart, _SMALLEST))
    highest = dot(softmax(add(steep, mul(sub(others, 1.0), 1e4))), away)
    own = add(reshape(reduce_sum(mul(mean, made), [1]), (1,)), bias)
    return apart, relu(sub(sub(own, level), highest))


def _gain(rows: Tensor, weights: Tensor, gain: Tensor, others: Tensor) -> Tensor:
    """The gain in use, or for the first class one that brings its logits to about 1: [1]."""
    in_use = mul(gain, total(others))
    return select(greater(in_use, 0.0), gain, _inverse_length(rows, weights))


def _inverse_length(rows: Tensor, weights: Tensor) -> Tensor:
    """`1 / √(mean of ‖x‖²)`; 0 where all is 0: [1]."""
    squares = reduce_sum(square(rows), [1])
    mean = div(dot(squares, weights), maximum(total(weights), 1e-6))
    return select(greater(mean, 0.0), rsqrt(maximum(mean, 1e-30)), 0.0)
