"""Normalization along the last axis."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..graph import Op, Tensor
from ._activation import mask_positive
from ._shapes import same_output, same_spec
from ._versions import I8, INT8_2, INT16_3
from .activations import relu
from .arithmetic import add, div, maximum, mul, sub
from .builder import emit
from .reduce import reduce_sum
from .registry import OpRow, register
from .unary import neg, rsqrt, sqrt, square

__all__ = [
    "l2_normalization",
    "log_softmax",
    "power_normalization",
    "power_normalize_rows",
    "smooth_power_normalization",
    "softmax",
    "to_length",
]

_SMALLEST_NORM = 1e-6  # the kernel divides by at least this
_SMOOTH = 0.2  # of the mean magnitude; 0.03 to 1 are as accurate
_TINY = 1e-12


def softmax(x: Tensor, *, beta: float = 1.0, name: str | None = None) -> Tensor:
    """Return `exp(beta · x)`, divided by its sum over the last axis."""
    return emit("SOFTMAX", x, beta=beta, name=name)


def log_softmax(x: Tensor) -> Tensor:
    """Return `x − ln Σ eˣ` over the last axis."""
    return emit("LOG_SOFTMAX", x)


def l2_normalization(x: Tensor) -> Tensor:
    """Return `x / max(‖x‖, 1e-6)` over the last axis."""
    return emit("L2_NORMALIZATION", x)


def to_length(x: Tensor, length: float = 1.0) -> Tensor:
    """Return `length · x / ‖x‖` over the last axis; zero stays zero.

    XNNPACK runs these ops, which is three times as fast as L2_NORMALIZATION.
    """
    squares = mul(_last_sum(square(x)), length**-2)
    return mul(x, rsqrt(maximum(squares, _SMALLEST_NORM**2)))


def power_normalization(x: Tensor) -> Tensor:
    """Return `sign(x) · √|x|`, divided by its norm over the last axis; zero stays zero.

    See Perronnin, Sánchez & Mensink (2010).
    """
    return to_length(sub(sqrt(relu(x)), sqrt(relu(neg(x)))))


def smooth_power_normalization(x: Tensor) -> Tensor:
    """Return a power normalization of rows [N, F] whose gradient is bounded.

    It is `x / √(|x| + 0.2 · mean |x|)`, divided by its norm over the row: the gradient of
    `power_normalization` has no bound at 0. Zero stays zero.
    """
    magnitudes = add(relu(x), relu(neg(x)))
    margins = mul(_last_sum(magnitudes), _SMOOTH / x.shape[-1])
    return to_length(div(x, sqrt(add(magnitudes, add(margins, _TINY)))))


def power_normalize_rows(rows: np.ndarray) -> np.ndarray:
    """Return `power_normalization` of rows in NumPy: float [N, F]; rows of zeros stay zero."""
    roots = np.sign(rows) * np.sqrt(np.abs(rows))
    lengths = np.linalg.norm(roots, axis=1, keepdims=True)
    normalized: np.ndarray = roots / np.maximum(lengths, np.finfo(np.float32).tiny)
    return normalized


def _last_sum(x: Tensor) -> Tensor:
    return reduce_sum(x, [x.rank - 1], keep_dims=True)


def _softmax_gradient(op: Op, _: int, g: Tensor) -> Tensor:
    """`beta · p · (g − Σ g·p)`."""
    p, beta = op.output, op.options.get("beta", 1.0)
    dx = mul(p, sub(g, _last_sum(mul(g, p))))
    return dx if beta == 1.0 else mul(dx, beta)


def _log_softmax_gradient(op: Op, _: int, g: Tensor) -> Tensor:
    """`g − softmax(x) · Σ g`; a model that returns the softmax computes it once."""
    return sub(g, mul(softmax(op.input(0)), _last_sum(g)))


def _l2_gradient(op: Op, _: int, g: Tensor) -> Tensor:
    """`(g − y · Σ g·y) / ‖x‖`; below the smallest norm the op divides by a constant: `g / 1e-6`."""
    x, y = op.input(0), op.output
    norm = sqrt(_last_sum(square(x)))
    inside = mask_positive(relu(sub(norm, _SMALLEST_NORM)))
    along = mul(y, mul(_last_sum(mul(g, y)), inside))
    return div(sub(g, along), maximum(norm, _SMALLEST_NORM))


def _np_softmax(x: Any, beta: float) -> np.ndarray:
    e = np.exp(beta * (x - x.max(-1, keepdims=True)))
    return np.asarray(e / e.sum(-1, keepdims=True))


def _np_log_softmax(x: Any) -> np.ndarray:
    shifted = x - x.max(-1, keepdims=True)
    return np.asarray(shifted - np.log(np.exp(shifted).sum(-1, keepdims=True)))


def _np_l2(x: Any) -> np.ndarray:
    norm = np.sqrt(np.square(x).sum(-1, keepdims=True))
    return np.asarray(x / np.maximum(norm, _SMALLEST_NORM))


register(
    OpRow(
        "SOFTMAX", gradients=(_softmax_gradient,), infer=same_spec,
        reference=lambda xs, options: [_np_softmax(xs[0], options.get("beta", 1.0))],
        options="SoftmaxOptions", defaults={"beta": 1.0}, probabilities="categorical",
        output_shape=same_output, versions=INT16_3,
    ),
    OpRow(
        "LOG_SOFTMAX", gradients=(_log_softmax_gradient,), infer=same_spec,
        reference=lambda xs, _: [_np_log_softmax(xs[0])], options="LogSoftmaxOptions",
        probabilities="categorical", output_shape=same_output, versions=INT8_2,
    ),
    OpRow(
        "L2_NORMALIZATION", gradients=(_l2_gradient,), infer=same_spec,
        reference=lambda xs, _: [_np_l2(xs[0])], options="L2NormOptions",
        output_shape=same_output, versions=((2, lambda op: op.out is I8),),
    ),
    OpRow("LOCAL_RESPONSE_NORMALIZATION"),
    family="Normalization",
)  # fmt: skip
