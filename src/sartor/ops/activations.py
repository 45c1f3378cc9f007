"""Activation functions."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from ..graph import Op, Tensor
from ._activation import Activation, derivative_at, mask_positive, sign
from ._shapes import broadcast_spec, same_output, same_spec
from ._versions import I8, I16, INT16_3, INT16_SAME_3, U8, VersionRule, has_type
from .arithmetic import add, div, maximum, minimum, mul, sub
from .builder import emit
from .registry import Gradient, OpRow, Rule, register
from .unary import exp, square

__all__ = ["logistic", "relu", "tanh"]

_DENSITY_AT_0 = 1 / math.sqrt(2 * math.pi)  # of the standard normal distribution
_PROBABILITY_AT_HALF = 0.5 * (1 + math.erf(0.5 / math.sqrt(2)))


def relu(x: Tensor) -> Tensor:
    """Return `max(x, 0)`."""
    return emit("RELU", x)


def tanh(x: Tensor) -> Tensor:
    """Return the hyperbolic tangent."""
    return emit("TANH", x)


def logistic(x: Tensor) -> Tensor:
    """Return `1 / (1 + e⁻ˣ)`."""
    return emit("LOGISTIC", x)


def _from_output(activation: Activation) -> Rule:
    return lambda op, _, g: mul(g, derivative_at(op.output, activation))


def _relu_0_to_1(op: Op, _: int, g: Tensor) -> Tensor:
    """`g` where `0 < y < 1`."""
    y = op.output
    return mul(g, mask_positive(mul(y, sub(1.0, y))))


def _tanh(op: Op, _: int, g: Tensor) -> Tensor:
    """`g · (1 − y²)`."""
    return mul(g, sub(1.0, square(op.output)))


def _logistic(op: Op, _: int, g: Tensor) -> Tensor:
    """`g · y · (1 − y)`."""
    y = op.output
    return mul(g, mul(y, sub(1.0, y)))


def _leaky_relu(op: Op, _: int, g: Tensor) -> Tensor:
    """`g` where `x` is positive, elsewhere `alpha · g`."""
    alpha = float(op.options.get("alpha", 0.0))
    positive = mask_positive(relu(op.input(0)))
    return mul(g, add(mul(positive, 1.0 - alpha), alpha))


def _elu(op: Op, _: int, g: Tensor) -> Tensor:
    """`g · eˣ` where `x` is negative, which is `y + 1`."""
    return mul(g, add(minimum(op.output, 0.0), 1.0))


def _hard_swish(op: Op, _: int, g: Tensor) -> Tensor:
    """`g · (r + x·[0 < r < 6]) / 6` with `r = relu6(x + 3)`."""
    x = op.input(0)
    r = emit("RELU6", add(x, 3.0))
    inside = derivative_at(r, Activation.RELU6)
    return mul(g, mul(add(r, mul(x, inside)), 1 / 6))


def _prelu(op: Op, index: int, g: Tensor) -> Tensor:
    """`g` where `x` is positive, elsewhere `slope · g`; to the slope `g · min(x, 0)`."""
    x, slope = op.input(0), op.input(1)
    if index == 1:
        return mul(g, minimum(x, 0.0))
    positive = mask_positive(relu(x))
    return mul(g, add(positive, mul(slope, sub(1.0, positive))))


def _gelu(op: Op, _: int, g: Tensor) -> Tensor:
    """`g · (Φ(x) + x · φ(x))`, or that of the approximation by TANH."""
    x = op.input(0)
    if op.options.get("approximate"):
        return mul(g, _tanh_gelu_derivative(x))
    density = mul(exp(mul(square(x), -0.5)), _DENSITY_AT_0)
    return mul(g, add(_normal_probability(x), mul(x, density)))


def _tanh_gelu_derivative(x: Tensor) -> Tensor:
    """`(1 + t) / 2 + x · (1 − t²) · k (1 + 3c·x²) / 2` with `t = tanh(k (x + c·x³))`."""
    squared = square(x)
    k, c = 2 * _DENSITY_AT_0, 0.044715
    t = tanh(mul(x, add(mul(squared, k * c), k)))
    slope = mul(x, add(mul(squared, 1.5 * k * c), 0.5 * k))
    return add(mul(add(t, 1.0), 0.5), mul(sub(1.0, square(t)), slope))


def _normal_probability(x: Tensor) -> Tensor:
    """Emit `Φ(x)`, the probability that a standard normal variable is below `x`.

    No op computes it. `Φ(a) − 1/2` of `a = |x|` is the series of `min(a, 1/2)`, accurate to 5e-9,
    plus `gelu(b) / b − Φ(1/2)` of `b = max(a, 1/2)`: one of the two varies.
    """
    a = emit("ABS", x)
    far, near = maximum(a, 0.5), minimum(a, 0.5)
    squared = square(near)
    series = add(mul(squared, 1 / 3456), -1 / 336)
    for coefficient in (1 / 40, -1 / 6, 1.0):
        series = add(mul(squared, series), coefficient)
    beyond = sub(div(emit("GELU", far), far), _PROBABILITY_AT_HALF)
    return add(mul(sign(x), add(mul(mul(near, series), _DENSITY_AT_0), beyond)), 0.5)


def _np_gelu(xs: Sequence[Any], options: Mapping[str, Any]) -> list[np.ndarray]:
    (x,) = xs
    if options.get("approximate"):
        return [0.5 * x * (1 + np.tanh(2 * _DENSITY_AT_0 * (x + 0.044715 * x**3)))]
    erf = np.vectorize(math.erf, otypes=[np.float64])
    return [np.asarray(0.5 * x * (1 + erf(x / math.sqrt(2))), np.asarray(x).dtype)]


def _row(
    code: str,
    gradient: Gradient,
    reference: Callable[[Any], Any],
    versions: tuple[VersionRule, ...] = (),
    probabilities: str | None = None,
) -> OpRow:
    return OpRow(
        code, gradients=(gradient,), infer=same_spec, reference=lambda xs, _: [reference(xs[0])],
        probabilities=probabilities, output_shape=same_output, versions=versions,
    )  # fmt: skip


register(
    _row("RELU", _from_output(Activation.RELU), lambda x: np.maximum(x, 0),
         ((3, has_type(I16)), (2, has_type(I8, U8)))),
    _row("RELU6", _from_output(Activation.RELU6), lambda x: np.clip(x, 0, 6), INT16_3),
    _row("ELU", _elu, lambda x: np.where(x > 0, x, np.expm1(np.minimum(x, 0)))),
    _row("HARD_SWISH", _hard_swish, lambda x: x * np.clip(x + 3, 0, 6) / 6),
    OpRow(
        "LEAKY_RELU", gradients=(_leaky_relu,), infer=same_spec,
        reference=lambda xs, o: [np.where(xs[0] > 0, xs[0], xs[0] * o.get("alpha", 0.0))],
        options="LeakyReluOptions", output_shape=same_output, versions=((2, has_type(I16)),),
    ),
    _row("TANH", _tanh, np.tanh, INT16_SAME_3),
    _row("LOGISTIC", _logistic, lambda x: 1.0 / (1.0 + np.exp(-x)), INT16_SAME_3, "independent"),
    OpRow(
        "GELU", gradients=(_gelu,), infer=same_spec, reference=_np_gelu, options="GeluOptions",
        output_shape=same_output, versions=((2, has_type(I8, U8)),),
    ),
    OpRow(
        "PRELU", gradients=(_prelu, _prelu), infer=broadcast_spec,
        reference=lambda xs, _: [np.where(xs[0] > 0, xs[0], xs[0] * xs[1])],
        parameters={1: "slope"}, broadcasts=True, inputs=2,
    ),
    _row("RELU_N1_TO_1", _from_output(Activation.RELU_N1_TO_1), lambda x: np.clip(x, -1, 1)),
    _row("RELU_0_TO_1", _relu_0_to_1, lambda x: np.clip(x, 0, 1)),
    family="Activations",
)  # fmt: skip
