"""Elementwise functions of one input, except activations."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..graph import Op, Tensor
from ._activation import sign
from ._shapes import same_output, same_spec
from ._versions import I8, I16, I32, INT8_INT16_2, INT16_3, U8, VersionRule, has_type
from .arithmetic import div, maximum, mul
from .builder import emit
from .registry import ZERO, Gradient, OpRow, register

__all__ = ["exp", "floor", "log", "neg", "rsqrt", "sqrt", "square"]


def neg(x: Tensor) -> Tensor:
    """Return `−x`."""
    return emit("NEG", x)


def square(x: Tensor) -> Tensor:
    """Return `x²`."""
    return emit("SQUARE", x)


def sqrt(x: Tensor) -> Tensor:
    """Return the square root of `x` ≥ 0."""
    return emit("SQRT", x)


def rsqrt(x: Tensor) -> Tensor:
    """Return `1 / √x` for `x` > 0."""
    return emit("RSQRT", x)


def exp(x: Tensor) -> Tensor:
    """Return `eˣ`."""
    return emit("EXP", x)


def log(x: Tensor) -> Tensor:
    """Return the natural logarithm of `x` > 0."""
    return emit("LOG", x)


def floor(x: Tensor) -> Tensor:
    """Return the largest whole number that is not above `x`."""
    return emit("FLOOR", x)


def _sqrt(op: Op, _: int, g: Tensor) -> Tensor:
    """`g / (2y)`, with `y` at least the root of the smallest float32.

    So the gradient at 0 is large and not infinite, and that of `√Σx²` at `x = 0` is 0 and not NaN.
    """
    return div(mul(g, 0.5), maximum(op.output, 1e-19))


def _rsqrt(op: Op, _: int, g: Tensor) -> Tensor:
    """`−g · y³ / 2`."""
    return mul(g, mul(mul(op.output, -0.5), square(op.output)))


def _row(
    code: str,
    gradient: Gradient,
    reference: Callable[[Any], Any],
    versions: tuple[VersionRule, ...] = (),
) -> OpRow:
    return OpRow(
        code, gradients=(gradient,), infer=same_spec, reference=lambda xs, _: [reference(xs[0])],
        output_shape=same_output, versions=versions,
    )  # fmt: skip


register(
    _row("NEG", lambda op, i, g: neg(g), np.negative),
    _row("SQUARE", lambda op, i, g: mul(g, mul(op.input(0), 2.0)), np.square),
    _row("SQRT", _sqrt, np.sqrt),
    _row("RSQRT", _rsqrt, lambda x: 1.0 / np.sqrt(x), INT16_3),
    _row("EXP", lambda op, i, g: mul(g, op.output), np.exp, INT8_INT16_2),
    _row("LOG", lambda op, i, g: div(g, op.input(0)), np.log, INT8_INT16_2),
    _row("FLOOR", ZERO, np.floor),
    _row("CEIL", ZERO, np.ceil),
    _row("ROUND", ZERO, np.round),
    _row("SIGN", ZERO, np.sign, ((2, has_type(I32)),)),
    _row(
        "ABS", lambda op, i, g: mul(g, sign(op.input(0))), np.abs,
        (
            (5, has_type(I32)),
            (3, lambda op: op.x is I16 and op.quantized()),
            (4, has_type(I16)),
            (2, has_type(I8, U8)),
        ),
    ),
    OpRow("SIN", output_shape=same_output),
    OpRow("COS", output_shape=same_output),
    family="Functions of one input",
)  # fmt: skip
