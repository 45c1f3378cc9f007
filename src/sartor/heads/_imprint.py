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
    log,
    matmul,
    maximum,
    minimum,
    mul,
    reduce_max,
    reduce_sum,
    reshape,
    rsqrt,
    select,
    sqrt,
    square,
    sub,
    zeros_like,
)
from ._features import dot, sum_elements, weighted_mean

__all__ = ["imprint_for_task", "imprint_sigmoid", "imprint_softmax", "imprint_zero"]

_FRACTION = 0.6  # length of an imprinted class beside trained ones, of the longest of them
_SMOOTHING = 0.3  # of the labels of training samples, see docs/recipe.md
_LOGIT_FRACTION = 0.9  # of the logit of a trained class for its own samples
_MARGIN = 1.001  # logit of the mean of the samples, relative to that of the other classes
_MIN_NORM = 1e-30
_SIGMOID_STEEPNESS = 4.0  # logit of a new label: from −3 (orthogonal) to 1 (same direction)


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
    """Emit weights in the direction of the samples, with logits like those of the others.

    With `x` the mean of the samples, `Wᵢ` and `bᵢ` of the K other active classes, their logits
    `zᵢ = Wᵢ · x + bᵢ`, and `t = (1 − 1/K) · ln(1 + 7 K/3)`:

        length = max(gain, min(0.6 · max ‖Wᵢ‖, 0.9 · t · gain), 1.001 · max(zᵢ − b)/‖x‖)
        w = length · x/‖x‖,    b = mean bᵢ

    If all classes are imprinted, this is `gain · x/‖x‖` and 0, with one gain for all: the first
    class sets it so that its own samples have logits of about 1. Training makes weights ten times
    longer, but with smoothed labels, the logit of a class for its own samples ends at about `t`
    above the mean. With 0.9 of it, the other classes lose at most one point on photos, digits and
    spoken digits. The last term makes sure that the mean of the samples is predicted as the class;
    few new classes need it. Without it, `w` and `b` do not depend on other imprinted classes, so
    that their order has no effect.

    Args:
        rows: [B, F]; input of the layer.
        sample_weights: [B].
        parameters: the layer's `weights`, `bias` and `gain`.
        other_classes: [C]; 1 for the other active classes.
    """
    weights, bias, gain = (parameters[name] for name in ("weights", "bias", "gain"))
    mean = weighted_mean(rows, sample_weights)
    gain = select(greater(gain, 0.0), gain, _inverse_norm(rows, sample_weights))
    norms = mul(sqrt(reduce_sum(square(weights), [1])), other_classes)
    longest = reduce_max(norms, [0], keep_dims=True)
    count = maximum(sum_elements(other_classes), 1.0)
    class_bias = div(dot(bias, other_classes), count)
    logits = add(reshape(matmul(mean, weights, adj_y=True), (-1,)), sub(bias, class_bias))
    highest = reduce_max(mul(logits, other_classes), [0], keep_dims=True)
    norm = maximum(reshape(sqrt(reduce_sum(square(mean), [1])), (1,)), _MIN_NORM)
    trained = mul(_trained_logit(count), _LOGIT_FRACTION)
    length = maximum(gain, minimum(mul(longest, _FRACTION), mul(gain, trained)))
    length = maximum(length, mul(div(highest, norm), _MARGIN))
    return {"weights": mul(l2_normalization(mean), length), "bias": class_bias, "gain": gain}


def _trained_logit(count: Tensor) -> Tensor:
    """Emit the logit, above the mean, at which the loss of smoothed labels is least: [1].

    Args:
        count: [1]; number of classes, at least 1.
    """
    odds = add(mul(count, (1 - _SMOOTHING) / _SMOOTHING), 1.0)
    return mul(log(odds), sub(1.0, div(1.0, count)))


def imprint_sigmoid(rows: Tensor, sample_weights: Tensor) -> dict[str, Tensor]:
    """Emit weights that give a high probability to rows in the direction of the samples.

    With `u` the direction of the mean of the samples and `ρ` the norm of the samples,
    `w = 4 · u/ρ` and `b = −3`: the logit is about 1 for such a sample, and −3 for one that is
    orthogonal to them.
    """
    mean = weighted_mean(rows, sample_weights)
    return {
        "weights": mul(
            l2_normalization(mean), mul(_inverse_norm(rows, sample_weights), _SIGMOID_STEEPNESS)
        ),
        "bias": rows.graph.constant(np.array([1 - _SIGMOID_STEEPNESS], np.float32)),
    }


def imprint_zero(rows: Tensor, sample_weights: Tensor) -> dict[str, Tensor]:
    """Emit zero weights; the inputs are used, since a signature must use each of its inputs."""
    zeros = mul(zeros_like(rows), reshape(zeros_like(sample_weights), (-1, 1)))
    return {"weights": reduce_sum(zeros, [0], keep_dims=True)}


def _inverse_norm(rows: Tensor, sample_weights: Tensor) -> Tensor:
    """Emit `1 / √(mean of ‖x‖²)`, or 0 if all rows are 0: [1]."""
    squares = reduce_sum(square(rows), [1])
    mean = div(dot(squares, sample_weights), maximum(sum_elements(sample_weights), 1e-6))
    return select(greater(mean, 0.0), rsqrt(maximum(mean, 1e-30)), 0.0)
