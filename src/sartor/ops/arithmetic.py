"""Elementwise arithmetic on two inputs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from ..graph import DType, Op, Tensor
from ._activation import OPTION, mask_positive
from ._shapes import broadcast_output, broadcast_spec
from ._versions import (
    COMPLEX,
    F32,
    I8,
    I16,
    I64,
    INT8_2,
    INT8_INT16_2,
    U32,
    VersionRule,
    has_type,
    keeps_type,
)
from .builder import Operand, emit
from .registry import NOT_DIFFERENTIABLE, ZERO, Gradient, OpRow, register

__all__ = ["add", "div", "maximum", "minimum", "mul", "pow_", "sub"]


def add(x: Operand, y: Operand, *, name: str | None = None) -> Tensor:
    """Return `x + y`, broadcast."""
    return _emit_spread("ADD", x, y, name)


def sub(x: Operand, y: Operand, *, name: str | None = None) -> Tensor:
    """Return `x − y`, broadcast."""
    return _emit_spread("SUB", x, y, name)


def mul(x: Operand, y: Operand, *, name: str | None = None) -> Tensor:
    """Return `x · y`, broadcast."""
    return _emit_spread("MUL", x, y, name)


def div(x: Operand, y: Operand, *, name: str | None = None) -> Tensor:
    """Return `x / y`, broadcast."""
    return _emit_spread("DIV", x, y, name)


def maximum(x: Operand, y: Operand, *, name: str | None = None) -> Tensor:
    """Return the larger of two inputs, broadcast."""
    return emit("MAXIMUM", x, y, name=name)


def minimum(x: Operand, y: Operand, *, name: str | None = None) -> Tensor:
    """Return the smaller of two inputs, broadcast."""
    return emit("MINIMUM", x, y, name=name)


def pow_(x: Operand, y: Operand) -> Tensor:
    """Return `x ** y`, broadcast. POW is slow on large tensors."""
    return emit("POW", x, y)


def _emit_spread(code: str, x: Operand, y: Operand, name: str | None) -> Tensor:
    """Emit an op that repeats an operand itself, in place of an addition of zeros before it.

    Gradients are repeated by `spread`; most are then multiplied by a tensor of the same shape.
    """
    if isinstance(x, Tensor) and isinstance(y, Tensor):
        x = _before_spread(x, y)
        y = _before_spread(y, x)
    return emit(code, x, y, name=name)


def _before_spread(x: Tensor, other: Tensor) -> Tensor:
    """Return the tensor that zeros were added to, if `other` repeats it to the shape of `x`."""
    op = x.producer
    if op is None or op.code != "ADD" or op.options.get(OPTION) or other.shape != x.shape:
        return x
    first, second = op.input(0), op.input(1)
    return first if _are_zeros(second) else second if _are_zeros(first) else x


def _are_zeros(x: Tensor) -> bool:
    if x.producer is not None:
        return x.producer.code == "ZEROS_LIKE"
    return x.is_constant and x.dtype is DType.FLOAT32 and not x.value.any()


# --- gradients ---------------------------------------------------------------------------------


def _to_exponent(op: Op, _: int, g: Tensor) -> Tensor:
    """`g · y · ln x`; where x is 0 so is y, and the logarithm is kept finite."""
    return mul(g, mul(op.output, emit("LOG", maximum(op.input(0), 1e-37))))


def _to_base(op: Op, _: int, g: Tensor) -> Tensor:
    """`g · e · x^(e − 1)`.

    A constant exponent of 0 gets the power 0 and not −1, so that `x = 0` yields 0 and not NaN.
    """
    x, exponent = op.input(0), op.input(1)
    if exponent.is_constant:
        e = exponent.value
        return mul(g, mul(pow_(x, np.where(e == 0, e, e - 1)), e))
    return mul(g, mul(exponent, pow_(x, sub(exponent, 1.0))))


def _to_divisor(op: Op, _: int, g: Tensor) -> Tensor:
    """`−(g / y) · (x / y)`: without `y²`, which overflows float32 long before the quotients do."""
    x, y = op.input(0), op.input(1)
    return emit("NEG", mul(div(g, y), div(x, y)))


def _squared_difference(op: Op, index: int, g: Tensor) -> Tensor:
    """`2g · (x − y)` to the first input, and its negative to the second."""
    x, y = op.input(0), op.input(1)
    return mul(mul(g, 2.0), sub(x, y) if index == 0 else sub(y, x))


def _extreme(op: Op, index: int, g: Tensor) -> Tensor:
    """`g` to the input that was chosen; a tie goes to the second."""
    x, y = op.input(0), op.input(1)
    difference = sub(x, y) if op.code == "MAXIMUM" else sub(y, x)
    first = mask_positive(emit("RELU", difference))
    return mul(g, first if index == 0 else sub(1.0, first))


# --- rows --------------------------------------------------------------------------------------


def _row(
    code: str,
    gradients: tuple[Gradient, ...],
    reference: Callable[[Any, Any], Any],
    options: str,
    versions: tuple[VersionRule, ...] = (),
    *,
    parameter: str = "",
    defaults: Mapping[str, bool] | None = None,
) -> OpRow:
    """Return the row of an op with a reference; a `parameter` comes with a fused activation."""
    return OpRow(
        code, gradients=gradients, infer=broadcast_spec,
        reference=lambda xs, _: [reference(xs[0], xs[1])], options=options, broadcasts=True,
        activation=bool(parameter), output_shape=broadcast_output, inputs=2, versions=versions,
        defaults=defaults or {},
        parameters=dict.fromkeys((0, 1), parameter) if parameter else {},
    )  # fmt: skip


_SCALES = {"potScaleInt16": True}  # the default of the schema
_EXTREMES: tuple[VersionRule, ...] = (
    (4, keeps_type(I16)), (3, lambda op: op.broadcasts_above_4), *INT8_2,
)  # fmt: skip

register(
    _row(
        "ADD", (lambda op, i, g: g, lambda op, i, g: g), np.add, "AddOptions",
        (
            (5, lambda op: op.x is I16 and not op.quantized()),
            (4, has_type(I64)),
            (3, lambda op: op.x is op.out is I16 and not op.option("potScaleInt16", True)),
            *INT8_2,
        ),
        parameter="term", defaults=_SCALES,
    ),
    _row(
        "SUB", (lambda op, i, g: g, lambda op, i, g: emit("NEG", g)), np.subtract, "SubOptions",
        (
            (5, lambda op: op.x is op.out is I16 and not op.option("potScaleInt16", True)),
            (4, has_type(I64)),
            (3, lambda op: op.broadcasts_above_4),
            *INT8_2,
        ),
        parameter="term", defaults=_SCALES,
    ),
    _row(
        "MUL", (lambda op, i, g: mul(g, op.input(1)), lambda op, i, g: mul(g, op.input(0))),
        np.multiply, "MulOptions",
        (
            (7, lambda op: op.x is U32 or (op.x is I16 and not op.quantized())),
            (6, has_type(COMPLEX)),
            (5, has_type(I64)),
            (4, has_type(I16)),
            (3, lambda op: op.rescale >= 1),
            *INT8_2,
        ),
        parameter="factor",
    ),
    _row(
        "DIV", (lambda op, i, g: div(g, op.input(1)), _to_divisor), np.divide, "DivOptions",
        ((2, lambda op: op.broadcasts_above_4),), parameter="factor",
    ),
    _row(
        "SQUARED_DIFFERENCE", (_squared_difference, _squared_difference),
        lambda x, y: np.square(x - y), "SquaredDifferenceOptions", INT8_2,
    ),
    _row("POW", (_to_base, _to_exponent), np.power, "PowOptions"),
    _row("MAXIMUM", (_extreme, _extreme), np.maximum, "MaximumMinimumOptions", _EXTREMES),
    _row("MINIMUM", (_extreme, _extreme), np.minimum, "MaximumMinimumOptions", _EXTREMES),
    OpRow(
        "FLOOR_DIV", gradients=(ZERO, ZERO), broadcasts=True, output_shape=broadcast_output,
        inputs=2, versions=((3, has_type(I16, I8)), (2, has_type(F32))),
    ),
    OpRow(
        "FLOOR_MOD", broadcasts=True, output_shape=broadcast_output, inputs=2,
        versions=INT8_INT16_2,
    ),
    OpRow("ATAN2", broadcasts=True, inputs=2),
    OpRow("ADD_N"),
    OpRow("BITWISE_XOR", gradients=(NOT_DIFFERENTIABLE,), broadcasts=True, inputs=2),
    OpRow("RIGHT_SHIFT", gradients=(NOT_DIFFERENTIABLE,), broadcasts=True, inputs=2),
    family="Arithmetic",
)  # fmt: skip
