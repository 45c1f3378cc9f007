"""Activation functions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..graph import Op, Tensor
from ._activation import Activation, derivative_at, mask_positive
from ._shapes import same_output, same_spec
from ._versions import I8, I16, INT16_3, INT16_SAME_3, U8, VersionRule, has_type
from .arithmetic import add, minimum, mul, sub
from .builder import emit
from .registry import Gradient, OpRow, Rule, register
from .unary import square

__all__ = ["logistic", "relu", "tanh"]


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
    OpRow("GELU", output_shape=same_output, versions=((2, has_type(I8, U8)),)),
    OpRow("PRELU", parameters={1: "slope"}, broadcasts=True, inputs=2),
    OpRow("RELU_N1_TO_1", output_shape=same_output),
    OpRow("RELU_0_TO_1", output_shape=same_output),
    family="Activations",
)  # fmt: skip
