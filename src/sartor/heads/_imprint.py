"""Imprinting: the weights of a class from its samples, for output layers `x · Wᵀ + b`."""

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
from ._features import dot, mean_direction, sum_elements

__all__ = ["imprint_for_task", "imprint_sigmoid", "imprint_softmax", "imprint_zero"]

_MIN_DIVISOR = 1e-37
_SOFTMAX_STEEPNESS = 10.0  # per standard deviation: how close a softmax is to a maximum
_SIGMOID_STEEPNESS = 4.0  # logit of a new label: from −3 (orthogonal) to 1 (same direction)
_MASKED_LOGIT = 1e4


def imprint_for_task(
    task: str,
    rows: Tensor,
    sample_weights: Tensor,
    parameters: Mapping[str, Tensor],
    other_classes: Tensor,
) -> dict[str, Tensor]:
    """Emit the parameters of a class of a layer with any task; see the functions below."""
    if task == "classification":
        return imprint_softmax(rows, sample_weights, parameters, other_classes)
    if task == "multi_label":
        return imprint_sigmoid(rows, sample_weights)
    return imprint_zero(rows, sample_weights)


def imprint_softmax(
    rows: Tensor,
    sample_weights: Tensor,
    parameters: Mapping[str, Tensor],
    other_classes: Tensor,
) -> dict[str, Tensor]:
    """Emit weights in the direction of the samples, scaled to the other classes.

    `u` is the direction of the mean of the samples' unit vectors. `W̄` is the mean of the other
    active classes' weights, and `ρ` their mean distance from it. `p` is the part of `u` orthogonal
    to `W̄` (all of `u` if it points away from `W̄`). Then

        w = gain · u + λ · p/‖p‖,    b = b̄ − min(λ/ρ · σ, m/2),    λ = max(ρ − gain · ‖p‖, 0)

    where `b̄` is the mean of the other biases, `σ` the standard deviation of the other classes'
    logits at the mean of the samples, and `m` the difference between the new class's logit (with
    `b̄`) and the highest of them.

    If all classes are imprinted, this is about `gain · u` and `b̄`, with one gain for all: the
    first class sets it so that its own samples have logits of about 1. Next to trained classes, the
    class's own direction is scaled up to their magnitude, and the common direction is not. Trained
    classes are separated from each other but not from the new class; the σ term lowers its logit,
    so that few of their samples are predicted as the new class.

    Args:
        rows: [B, F]; input of the layer.
        sample_weights: [B].
        parameters: the layer's `weights`, `bias` and `gain`.
        other_classes: [C]; 1 for the other active classes.
    """
    weights, bias = parameters["weights"], parameters["bias"]
    count = maximum(sum_elements(other_classes), 1.0)
    common = div(matmul(reshape(other_classes, (1, -1)), weights), count)
    distances = sqrt(reduce_sum(square(sub(weights, common)), [1]))
    spread = div(dot(distances, other_classes), count)
    gain = _gain(rows, sample_weights, parameters["gain"], other_classes)

    direction = mean_direction(rows, sample_weights)
    common_direction = l2_normalization(common)
    projection = relu(reduce_sum(mul(direction, common_direction), [1], keep_dims=True))
    own = sub(direction, mul(common_direction, projection))
    own_norm = reshape(sqrt(reduce_sum(square(own), [1])), (1,))
    lift = relu(sub(spread, mul(gain, own_norm)))
    class_weights = add(mul(direction, gain), mul(l2_normalization(own), lift))
    mean_bias = div(dot(bias, other_classes), count)
    deviation, margin = _compare_logits(
        rows, sample_weights, class_weights, mean_bias, parameters, other_classes, count
    )
    penalty = minimum(mul(div(lift, maximum(spread, _MIN_DIVISOR)), deviation), mul(margin, 0.5))
    return {"weights": class_weights, "bias": sub(mean_bias, penalty), "gain": gain}


def imprint_sigmoid(rows: Tensor, sample_weights: Tensor) -> dict[str, Tensor]:
    """Emit weights that give a high probability to rows in the direction of the samples.

    With `u` as for `imprint_softmax` and `ρ` the norm of the samples, `w = 4 · u/ρ` and `b = −3`:
    the logit is about 1 for such a sample, and −3 for one that is orthogonal to them.
    """
    scale = mul(_inverse_norm(rows, sample_weights), _SIGMOID_STEEPNESS)
    return {
        "weights": mul(mean_direction(rows, sample_weights), scale),
        "bias": rows.graph.constant(np.array([1 - _SIGMOID_STEEPNESS], np.float32)),
    }


def imprint_zero(rows: Tensor, sample_weights: Tensor) -> dict[str, Tensor]:
    """Emit zero weights; the inputs are used, since a signature must use each of its inputs."""
    zeros = mul(zeros_like(rows), reshape(zeros_like(sample_weights), (-1, 1)))
    return {"weights": reduce_sum(zeros, [0], keep_dims=True)}


def _compare_logits(
    rows: Tensor,
    sample_weights: Tensor,
    class_weights: Tensor,
    class_bias: Tensor,
    parameters: Mapping[str, Tensor],
    other_classes: Tensor,
    count: Tensor,
) -> tuple[Tensor, Tensor]:
    """Compare the logits of a new class and of the others at the mean of its rows.

    Returns:
        The standard deviation of the others' logits, and the difference (at least 0) between the
        new class's logit and the highest of them: [1] each.
    """
    fractions = reshape(div(sample_weights, maximum(sum_elements(sample_weights), 1e-6)), (-1, 1))
    mean = reduce_sum(mul(rows, fractions), [0], keep_dims=True)
    logits = add(
        reshape(matmul(mean, parameters["weights"], adj_y=True), (-1,)), parameters["bias"]
    )
    mean_logit = div(dot(logits, other_classes), count)
    centered = mul(sub(logits, mean_logit), other_classes)
    deviation = sqrt(div(sum_elements(square(centered)), count))
    scaled = div(mul(centered, _SOFTMAX_STEEPNESS), maximum(deviation, _MIN_DIVISOR))
    mask = mul(sub(other_classes, 1.0), _MASKED_LOGIT)
    highest = dot(softmax(add(scaled, mask)), centered)
    own = add(reshape(reduce_sum(mul(mean, class_weights), [1]), (1,)), class_bias)
    return deviation, relu(sub(sub(own, mean_logit), highest))


def _gain(rows: Tensor, sample_weights: Tensor, gain: Tensor, other_classes: Tensor) -> Tensor:
    """Emit the current gain; for the first class, the gain that gives logits of about 1: [1]."""
    current = mul(gain, sum_elements(other_classes))
    return select(greater(current, 0.0), gain, _inverse_norm(rows, sample_weights))


def _inverse_norm(rows: Tensor, sample_weights: Tensor) -> Tensor:
    """Emit `1 / √(mean of ‖x‖²)`, or 0 if all rows are 0: [1]."""
    squares = reduce_sum(square(rows), [1])
    mean = div(dot(squares, sample_weights), maximum(sum_elements(sample_weights), 1e-6))
    return select(greater(mean, 0.0), rsqrt(maximum(mean, 1e-30)), 0.0)
