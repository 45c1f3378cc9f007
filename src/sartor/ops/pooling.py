"""Pooling of images."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ..graph import Op, Tensor
from ._activation import OPTION, mask_positive
from ._np_convolution import np_windows
from ._shapes import required
from ._unfold import fold_taps, tap, taps_of, to_blocks
from ._versions import INT16_SAME_3
from ._windows import Padding, Window, window_of
from .arithmetic import mul, sub
from .builder import emit
from .reduce import spread
from .registry import OpRow, Shape, Spec, register

_LOWEST = float(np.finfo(np.float32).min)


def _lengths(options: Mapping[str, Any]) -> tuple[int, int]:
    return options["filterHeight"], options["filterWidth"]


def _window(op: Op) -> Window:
    return window_of(op.input(0).shape, _lengths(op.options), op.options)


def _infer_pool(inputs: Sequence[Tensor | None], options: Mapping[str, Any]) -> list[Spec]:
    x = required(inputs[0])
    rows, columns = window_of(x.shape, _lengths(options), options)
    return [((x.shape[0], rows.output, columns.output, x.shape[3]), x.dtype)]


def _pool_output(op: Op) -> Shape:
    return _infer_pool(op.inputs, op.options)[0][0]


# --- AVERAGE_POOL_2D -----------------------------------------------------------------------------


def _average_gradient(op: Op, _: int, g: Tensor) -> Tensor:
    """`g`, divided by the number of elements of its window, to each of them."""
    x, window = op.input(0), _window(op)
    share = mul(g, 1 / _counts(window))
    if all(a.output == 1 and a.length >= a.before + a.size for a in window):
        return spread(share, x, (1, 2))  # one window covers the image
    return fold_taps(dict.fromkeys(taps_of(window), share), window)


def _counts(window: Window) -> np.ndarray:
    """Return the number of elements of each window without padding: float32 [1, OH, OW, 1]."""
    options = {"padding": Padding.VALID, "strideH": window[0].stride, "strideW": window[1].stride}
    ones = np.pad(np.ones([axis.size for axis in window]), [(a.before, a.after) for a in window])
    windows = np_windows(ones[None, :, :, None], (window[0].length, window[1].length), options)
    counts: np.ndarray = windows.sum((4, 5))[:, : window[0].output, : window[1].output]
    return counts.astype(np.float32)


def _np_average(xs: Sequence[Any], options: Mapping[str, Any]) -> list[np.ndarray]:
    lengths = _lengths(options)
    windows, ones = (np_windows(x, lengths, options) for x in (xs[0], np.ones_like(xs[0])))
    return [windows.sum((4, 5)) / ones.sum((4, 5))]


# --- MAX_POOL_2D ---------------------------------------------------------------------------------


def _max_gradient(op: Op, _: int, g: Tensor) -> Tensor:
    """`g` to the first largest element of its window, row by row."""
    window = _window(op)
    largest = emit(op.code, op.input(0), **{**op.options, OPTION: 0})
    blocks = to_blocks(op.input(0), window, _LOWEST)
    parts, rest = {}, g
    for each in taps_of(window):
        below = mask_positive(sub(largest, tap(blocks, window, *each)))
        remainder = mul(rest, below)
        parts[each] = sub(rest, remainder)
        rest = remainder
    return fold_taps(parts, window)


def _np_max(xs: Sequence[Any], options: Mapping[str, Any]) -> list[np.ndarray]:
    return [np_windows(xs[0], _lengths(options), options, -np.inf).max((4, 5))]


register(
    OpRow(
        "AVERAGE_POOL_2D", gradients=(_average_gradient,), infer=_infer_pool,
        reference=_np_average, options="Pool2DOptions", activation=True, output_shape=_pool_output,
        versions=INT16_SAME_3,
    ),
    OpRow(
        "MAX_POOL_2D", gradients=(_max_gradient,), infer=_infer_pool, reference=_np_max,
        options="Pool2DOptions", activation=True, output_shape=_pool_output, versions=INT16_SAME_3,
    ),
    OpRow("L2_POOL_2D", activation=True),
    family="Pooling and resizing",
)  # fmt: skip
