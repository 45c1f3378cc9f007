"""Ops that work element by element."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from ..graph import DType, Op, Tensor
from ._activation import Activation, derivative_at, mask_positive
from ._shapes import broadcast_shape, given
from .builder import Operand, emit
from .registry import Gradient, OpRow, Rule, Spec, State, register

__all__ = [
    "add", "div", "exp", "floor", "greater", "log", "logistic", "maximum", "minimum", "mul", "neg",
    "pow_", "relu", "rsqrt", "select", "sqrt", "square", "sub", "tanh",
]  # fmt: skip


def add(x: Operand, y: Operand, *, name: str | None = None) -> Tensor:
    """`x + y`, broadcast."""
    return emit("ADD", x, y, name=name)


def sub(x: Operand, y: Operand, *, name: str | None = None) -> Tensor:
    """`x − y`, broadcast."""
    return emit("SUB", x, y, name=name)


def mul(x: Operand, y: Operand, *, name: str | None = None) -> Tensor:
    """`x · y`, broadcast."""
    return emit("MUL", x, y, name=name)


def div(x: Operand, y: Operand, *, name: str | None = None) -> Tensor:
    """`x / y`, broadcast."""
    return emit("DIV", x, y, name=name)


def maximum(x: Operand, y: Operand, *, name: str | None = None) -> Tensor:
    """The larger of the two, broadcast."""
    return emit("MAXIMUM", x, y, name=name)


def minimum(x: Operand, y: Operand, *, name: str | None = None) -> Tensor:
    """The smaller of the two, broadcast."""
    return emit("MINIMUM", x, y, name=name)


def pow_(x: Operand, y: Operand) -> Tensor:
    """`x ** y`, broadcast; slow on large tensors."""
    return emit("POW", x, y)


def neg(x: Tensor) -> Tensor:
    """`−x`."""
    return emit("NEG", x)


def square(x: Tensor) -> Tensor:
    """`x²`."""
    return emit("SQUARE", x)


def sqrt(x: Tensor) -> Tensor:
    """The square root of `x` ≥ 0."""
    return emit("SQRT", x)


def rsqrt(x: Tensor) -> Tensor:
    """`1 / √x` for `x` > 0."""
    return emit("RSQRT", x)


def exp(x: Tensor) -> Tensor:
    """`eˣ`."""
    return emit("EXP", x)


def log(x: Tensor) -> Tensor:
    """The natural logarithm of `x` > 0."""
    return emit("LOG", x)


def floor(x: Tensor) -> Tensor:
    """The largest whole number that is not above `x`."""
    return emit("FLOOR", x)


def relu(x: Tensor) -> Tensor:
    """`max(x, 0)`."""
    return emit("RELU", x)


def tanh(x: Tensor) -> Tensor:
    """The hyperbolic tangent."""
    return emit("TANH", x)


def logistic(x: Tensor) -> Tensor:
    """`1 / (1 + e⁻ˣ)`."""
    return emit("LOGISTIC", x)


def greater(x: Operand, y: Operand) -> Tensor:
    """BOOL: where `x > y`, broadcast."""
    return emit("GREATER", x, y)


def select(condition: Tensor, x: Operand, y: Operand) -> Tensor:
    """`x` where the condition (BOOL) holds, else `y`, broadcast."""
    return emit("SELECT_V2", condition, x, y)


# --- shapes ------------------------------------------------------------------------------------


def _same(inputs: Sequence[Tensor | None], _: Mapping[str, Any]) -> list[Spec]:
    (x,) = inputs
    return [(given(x).shape, given(x).dtype)]


def _broadcast(inputs: Sequence[Tensor | None], _: Mapping[str, Any]) -> list[Spec]:
    x, y = map(given, inputs)
    if x.dtype is not y.dtype:
        raise ValueError("the two inputs must be of one type")
    return [(broadcast_shape(x.shape, y.shape), x.dtype)]


def _compare(inputs: Sequence[Tensor | None], options: Mapping[str, Any]) -> list[Spec]:
    return [(_broadcast(inputs, options)[0][0], DType.BOOL)]


def _select(inputs: Sequence[Tensor | None], _: Mapping[str, Any]) -> list[Spec]:
    condition, x, y = map(given, inputs)
    return [(broadcast_shape(condition.shape, x.shape, y.shape), x.dtype)]


# --- gradients ---------------------------------------------------------------------------------


def _pow_exponent(op: Op, _: int, g: Tensor) -> Tensor:
    """`g · y · ln x`; where x is 0 so is y, and the logarithm is kept finite."""
    return mul(g, mul(op.output, log(maximum(op.input(0), 1e-37))))


def _pow_base(op: Op, _: int, g: Tensor) -> Tensor:
    """`g · e · x^(e − 1)`.

    A constant exponent of 0 is given the power 0 and not −1, so that `x = 0` yields 0 and no NaN.
    """
    x, exponent = op.input(0), op.input(1)
    if exponent.is_constant:
        e = exponent.value
        return mul(g, mul(pow_(x, np.where(e == 0, e, e - 1)), e))
    return mul(g, mul(exponent, pow_(x, sub(exponent, 1.0))))


def _divisor(op: Op, _: int, g: Tensor) -> Tensor:
    """`−(g / y) · (x / y)`: no `y²`, which leaves float32 long before the quotients do."""
    x, y = op.input(0), op.input(1)
    return neg(mul(div(g, y), div(x, y)))


def _squared_difference(op: Op, index: int, g: Tensor) -> Tensor:
    """`2g · (x − y)` to the first input, and the opposite to the second."""
    x, y = op.input(0), op.input(1)
    return mul(mul(g, 2.0), sub(x, y) if index == 0 else sub(y, x))


def _sqrt(op: Op, _: int, g: Tensor) -> Tensor:
    """`g / (2y)`, where `y` is taken for at least the root of the smallest float32.

    So the gradient at 0 is large and not infinite, and that of `√Σx²` at `x = 0` is 0 and no NaN.
    """
    return div(mul(g, 0.5), maximum(op.output, 1e-19))


def _larger(op: Op, index: int, g: Tensor) -> Tensor:
    """`g` to the input that won; a tie goes to the second."""
    x, y = op.input(0), op.input(1)
    first = mask_positive(relu(sub(x, y) if op.code == "MAXIMUM" else sub(y, x)))
    return mul(g, first if index == 0 else sub(1.0, first))


def _selected(op: Op, index: int, g: Tensor) -> Tensor:
    condition = op.input(0)
    return select(condition, g, 0.0) if index == 1 else select(condition, 0.0, g)


def _from_output(kind: Activation) -> Rule:
    return lambda op, _, g: mul(g, derivative_at(op.output, kind))


def _tanh(op: Op, _: int, g: Tensor) -> Tensor:
    return mul(g, sub(1.0, square(op.output)))


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


def _logistic(op: Op, _: int, g: Tensor) -> Tensor:
    y = op.output
    return mul(g, mul(y, sub(1.0, y)))


# --- the rows ----------------------------------------------------------------------------------


def _unary(code: str, gradient: Gradient, reference: Callable[[Any], Any]) -> OpRow:
    return OpRow(code, _same, (gradient,), lambda xs, _: [reference(xs[0])])


def _binary(
    code: str,
    gradients: tuple[Gradient, Gradient],
    reference: Callable[[Any, Any], Any],
    options: str | None = None,
    *,
    activation: bool = False,
) -> OpRow:
    return OpRow(
        code, _broadcast, gradients, lambda xs, _: [reference(xs[0], xs[1])],
        options=options, broadcasts=True, activation=activation,
    )  # fmt: skip


register(
    _binary(
        "ADD", (lambda op, i, g: g, lambda op, i, g: g), np.add, "AddOptions", activation=True
    ),
    _binary(
        "SUB", (lambda op, i, g: g, lambda op, i, g: neg(g)), np.subtract, "SubOptions",
        activation=True,
    ),
    _binary(
        "MUL",
        (lambda op, i, g: mul(g, op.input(1)), lambda op, i, g: mul(g, op.input(0))),
        np.multiply, "MulOptions", activation=True,
    ),
    _binary(
        "DIV",
        (
            lambda op, i, g: div(g, op.input(1)),
            _divisor,
        ),
        np.divide, "DivOptions", activation=True,
    ),
    _binary(
        "SQUARED_DIFFERENCE", (_squared_difference, _squared_difference),
        lambda x, y: np.square(x - y), "SquaredDifferenceOptions",
    ),
    _binary("POW", (_pow_base, _pow_exponent), np.power, "PowOptions"),
    _binary("MAXIMUM", (_larger, _larger), np.maximum, "MaximumMinimumOptions"),
    _binary("MINIMUM", (_larger, _larger), np.minimum, "MaximumMinimumOptions"),
    _unary("NEG", lambda op, i, g: neg(g), np.negative),
    _unary("SQUARE", lambda op, i, g: mul(g, mul(op.input(0), 2.0)), np.square),
    _unary("SQRT", _sqrt, np.sqrt),
    _unary(
        "RSQRT",
        lambda op, i, g: mul(g, mul(mul(op.output, -0.5), square(op.output))),
        lambda x: 1.0 / np.sqrt(x),
    ),
    _unary("EXP", lambda op, i, g: mul(g, op.output), np.exp),
    _unary("LOG", lambda op, i, g: div(g, op.input(0)), np.log),
    _unary("FLOOR", State.ZERO, np.floor),
    _unary("RELU", _from_output(Activation.RELU), lambda x: np.maximum(x, 0)),
    _unary("RELU6", _from_output(Activation.RELU6), lambda x: np.clip(x, 0, 6)),
    _unary("ELU", _elu, lambda x: np.where(x > 0, x, np.expm1(np.minimum(x, 0)))),
    _unary("HARD_SWISH", _hard_swish, lambda x: x * np.clip(x + 3, 0, 6) / 6),
    OpRow(
        "LEAKY_RELU", _same, (_leaky_relu,),
        lambda xs, o: [np.where(xs[0] > 0, xs[0], xs[0] * o.get("alpha", 0.0))],
        options="LeakyReluOptions",
    ),
    _unary("TANH", _tanh, np.tanh),
    _unary("LOGISTIC", _logistic, lambda x: 1.0 / (1.0 + np.exp(-x))),
    OpRow(
        "GREATER", _compare, (State.ZERO, State.ZERO),
        lambda xs, _: [np.greater(xs[0], xs[1])], options="GreaterOptions", broadcasts=True,
    ),
    OpRow(
        "SELECT_V2", _select, (State.ZERO, _selected, _selected),
        lambda xs, _: [np.where(xs[0], xs[1], xs[2])], options="SelectV2Options", broadcasts=True,
    ),
)  # fmt: skip
