"""Gradients of DEPTHWISE_CONV_2D, emitted as depthwise convolutions.

LiteRT never returns from a DEPTHWISE_CONV_2D with more than 4,832 channels whose filter is not
constant, so each one that is emitted here has at most 3,000. Their number of channels does not
depend on the batch.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import gcd
from typing import Any

import numpy as np

from ..graph import Op, Tensor
from ._conv_gradient import conv_window
from ._shapes import required
from ._unfold import from_phases
from ._windows import Axis, Padding, Window
from .builder import emit
from .joins import concatenation
from .reduce import reduce_sum
from .repeats import reverse
from .shape import reshape
from .slices import pad, slice_, strided_slice

__all__ = ["MAX_CHANNELS", "depthwise_gradient", "depthwise_in_parts"]

MAX_CHANNELS = 3000


def depthwise_gradient(op: Op, index: int, g: Tensor) -> Tensor:
    """`dx`: `g` convolved with the reversed filter; `dW`: `x` convolved with `g`; `db = Σ g`."""
    if index == 2:
        return reduce_sum(g, [0, 1, 2])
    return _input_gradient(op, g) if index == 0 else _weight_gradient(op, g)


def depthwise_in_parts(op: Op, inputs: Sequence[Tensor | None]) -> Tensor:
    """Emit a DEPTHWISE_CONV_2D again, with at most 3,000 channels in one op."""
    x, weights, *bias = inputs
    return _convolve(required(x), required(weights), *bias, **op.options)


def _input_gradient(op: Op, g: Tensor) -> Tensor:
    """Convolve `g` with the reversed filter, and add the copies of a channel."""
    weights, (rows, columns) = op.input(1), conv_window(op)
    if not weights.dtype.is_float:
        raise ValueError(f"{weights!r} is quantized. Convert it to float32 first")
    kernel = reverse(weights, (1, 2))
    if rows.stride == columns.stride == 1:
        options = _options((1, 1), (rows.dilation, columns.dilation))
        if _is_same(rows) and _is_same(columns):
            options["padding"] = Padding.SAME  # without a copy of `g`
            dx = _convolve(g, kernel, **options)
        else:
            dx = _convolve(_pad(g, _around(rows), _around(columns)), kernel, **options)
    else:
        dx = _strided_gradient(g, kernel, (rows, columns))
    _, height, width, channels = op.input(0).shape
    if weights.shape[3] == channels:
        return dx
    copies = reshape(dx, (-1, height * width, channels, weights.shape[3] // channels))
    return reshape(reduce_sum(copies, [3]), (-1, height, width, channels))


def _around(axis: Axis) -> tuple[int, int]:
    """Return the padding of `g` for a stride of 1."""
    reach = (axis.length - 1) * axis.dilation
    return reach - axis.before, axis.size + axis.before - axis.output


def _is_same(axis: Axis) -> bool:
    """Return True if the padding of `g` for a stride of 1 is that of SAME."""
    reach = (axis.length - 1) * axis.dilation
    return _around(axis) == (reach // 2, reach - reach // 2)


def _strided_gradient(g: Tensor, reversed_weights: Tensor, window: Window) -> Tensor:
    """Convolve `g` once for each position in a block, with the taps that reach it."""
    rows, columns = window
    phases = {}
    for upper in _phases(rows):
        for inner in _phases(columns):
            kernel = strided_slice(
                reversed_weights, (0, upper.begin, inner.begin, 0), reversed_weights.shape,
                (1, upper.step, inner.step, 1),
            )  # fmt: skip
            padded = _pad(g, upper.around, inner.around)
            phases[upper.position, inner.position] = _convolve(
                padded, kernel, **_options((1, 1), (upper.dilation, inner.dilation))
            )
    return from_phases(phases, window)


def _weight_gradient(op: Op, g: Tensor) -> Tensor:
    """Convolve `x` with `g` as filter: the images of the batch above each other, as one image.

    Zeros keep the images apart: those above an image are also those below the one before it. They
    make the height of an image the stride times the height of its `g`.
    """
    x, (rows, columns) = op.input(0), conv_window(op)
    blocks = _blocks_apart(rows)
    below = blocks * rows.stride - rows.before - rows.size
    image = _pad(x, (rows.before, below), (columns.before, columns.after))
    image = reshape(image, (1, -1, *image.shape[2:]))
    below_all = max((rows.length - 1) * rows.dilation - rows.stride + 1, 0)
    kernel = _pad(g, (0, blocks - rows.output), (0, 0))
    kernel = reshape(kernel, (1, -1, *kernel.shape[2:]))
    strides, dilations = (rows.stride, columns.stride), (rows.dilation, columns.dilation)
    dw = _convolve(_pad(image, (0, below_all), (0, 0)), kernel, **_options(dilations, strides))
    shape = op.input(1).shape
    return dw if dw.shape == shape else slice_(dw, (0, 0, 0, 0), shape)


def _blocks_apart(axis: Axis) -> int:
    """Return the least height of an image above another, in strides.

    Its windows reach into the zeros above the next image only.
    """
    end = (axis.output - 1) * axis.stride + (axis.length - 1) * axis.dilation + 1
    height = max(axis.before + axis.size, end - axis.before, axis.output * axis.stride)
    return -(-height // axis.stride)


@dataclass(frozen=True)
class _Phase:
    """The taps that reach one position of the blocks of an axis.

    Attributes:
        position: the position in a block.
        begin, step: the first of these taps in the reversed filter, and their distance.
        dilation: distance between the blocks of two of these taps.
        around: padding of the gradient.
    """

    position: int
    begin: int
    step: int
    dilation: int
    around: tuple[int, int]


def _phases(axis: Axis) -> Iterator[_Phase]:
    """Yield the positions in a block that a tap reaches."""
    common = gcd(axis.stride, axis.dilation)
    for position in range(axis.stride):
        taps = [tap for tap in range(axis.length) if axis.position(tap)[1] == position]
        if taps:
            first, last = axis.position(taps[0])[0], axis.position(taps[-1])[0]
            yield _Phase(
                position, axis.length - 1 - taps[-1], axis.stride // common,
                axis.dilation // common, (last, axis.blocks - axis.output - first),
            )  # fmt: skip


def _convolve(x: Tensor, kernel: Tensor, bias: Tensor | None = None, **options: Any) -> Tensor:
    """Convolve each channel with its own filter, at most 3,000 channels in one op."""
    channels = kernel.shape[3]
    multiplier = channels // x.shape[3]
    if multiplier > MAX_CHANNELS:
        raise ValueError(f"a depth multiplier of {multiplier} is above {MAX_CHANNELS}")
    size = MAX_CHANNELS // multiplier * multiplier
    parts = []
    for begin in range(0, channels, size):
        count = min(size, channels - begin)
        part = _channels(x, begin // multiplier, count // multiplier)
        term = np.zeros(count, np.float32) if bias is None else _channels(bias, begin, count)
        parts.append(
            emit(
                "DEPTHWISE_CONV_2D", part, _channels(kernel, begin, count), term,
                **{**options, "depthMultiplier": multiplier},
            )
        )  # fmt: skip
    return parts[0] if len(parts) == 1 else concatenation(parts, 3)


def _options(stride: tuple[int, int], dilation: tuple[int, int]) -> dict[str, Any]:
    """Return the options of a convolution without padding."""
    return {
        "padding": Padding.VALID, "strideH": stride[0], "strideW": stride[1],
        "dilationHFactor": dilation[0], "dilationWFactor": dilation[1],
    }  # fmt: skip


def _channels(x: Tensor, begin: int, count: int) -> Tensor:
    """Return some of the channels (the last axis)."""
    if count == x.shape[-1]:
        return x
    lead = x.rank - 1
    return slice_(x, (*[0] * lead, begin), (*[-1] * lead, count))


def _pad(x: Tensor, rows: tuple[int, int], columns: tuple[int, int]) -> Tensor:
    return pad(x, [(0, 0), rows, columns, (0, 0)]) if any(rows + columns) else x
