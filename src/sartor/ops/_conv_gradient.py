"""Convolutions as matrix products, and their gradients.

CONV_2D takes five times as long with weights that are not constant, BATCH_MATMUL does not. So the
windows become rows (`unfold`), and all three products are BATCH_MATMUL:

    y = unfold(x) Wᵀ        dW = gᵀ unfold(x)        dx = fold(g W)

A transposed convolution has the same three, with `x` and `g` exchanged.
"""

from __future__ import annotations

from collections.abc import Sequence

from ..graph import Op, Tensor
from ._activation import OPTION
from ._shapes import required
from ._unfold import fold, unfold
from ._windows import Window, window_of
from .builder import emit
from .contraction import matmul
from .reduce import reduce_sum
from .shape import reshape, reshape_like, transpose

__all__ = [
    "conv_as_product", "conv_gradient", "conv_window", "transpose_conv_as_product",
    "transpose_conv_gradient",
]  # fmt: skip


def conv_window(op: Op) -> Window:
    """Return the window of a CONV_2D, DEPTHWISE_CONV_2D or TRANSPOSE_CONV."""
    image = op.output if op.code == "TRANSPOSE_CONV" else op.input(0)
    _, height, width, _ = op.input(1).shape
    return window_of(image.shape, (height, width), op.options)


# --- CONV_2D -----------------------------------------------------------------------------------


def conv_as_product(op: Op, inputs: Sequence[Tensor | None]) -> Tensor:
    """Emit a CONV_2D as a matrix product, for weights that are not constant."""
    x, weights, *bias = inputs
    x, weights = required(x), required(weights)
    rows = _split_groups(unfold(x, conv_window(op)), x, weights)
    y = _join_groups(matmul(rows, _matrix(weights, x), adj_y=True))
    return _add_bias(op, reshape_like(y, op.output), *bias)


def conv_gradient(op: Op, index: int, g: Tensor) -> Tensor:
    """`dx = fold(g W)`, `dW = gᵀ unfold(x)`, `db = Σ g`."""
    x, weights = op.input(0), op.input(1)
    window = conv_window(op)
    if index == 2:
        return reduce_sum(g, [0, 1, 2])
    rows = _rows(g)
    if x.shape[3] != weights.shape[3]:
        rows = _channel_groups(rows, x.shape[3] // weights.shape[3])
    if index == 0:
        taps = weights.shape[1] * weights.shape[2]
        return fold(_merge_groups(matmul(rows, _matrix(weights, x)), taps), window)
    product = matmul(rows, _split_groups(unfold(x, window), x, weights), adj_x=True)
    return reshape(product, weights.shape)


def _rows(image: Tensor) -> Tensor:
    """Return an image [N, H, W, C] as rows [N·H·W, C]."""
    return reshape(image, (-1, image.shape[3]))


def _matrix(weights: Tensor, x: Tensor) -> Tensor:
    """Return weights as [C, taps·D], or [G, C/G, taps·D] for `G` groups of channels."""
    if not weights.dtype.is_float:
        raise ValueError(f"{weights!r} is quantized. Convert it to float32 first")
    groups = x.shape[3] // weights.shape[3]
    if groups == 1:
        return reshape(weights, (weights.shape[0], -1))
    return reshape(weights, (groups, weights.shape[0] // groups, -1))


# --- groups of channels: an axis before rows and columns -----------------------------------------


def _split_groups(rows: Tensor, x: Tensor, weights: Tensor) -> Tensor:
    """Return rows of windows [M, taps·G·D] as [G, M, taps·D]; unchanged for one group."""
    depth = weights.shape[3]
    groups, taps = x.shape[3] // depth, weights.shape[1] * weights.shape[2]
    if groups == 1:
        return rows
    split = transpose(reshape(rows, (-1, taps, groups, depth)), (2, 0, 1, 3))
    return reshape(split, (groups, -1, taps * depth))


def _merge_groups(rows: Tensor, taps: int) -> Tensor:
    """Return [G, M, taps·D] as [M, taps·G·D]: the inverse of `_split_groups`."""
    if rows.rank == 2:
        return rows
    groups, _, size = rows.shape
    merged = transpose(reshape(rows, (groups, -1, taps, size // taps)), (1, 2, 0, 3))
    return reshape(merged, (-1, groups * size))


def _channel_groups(rows: Tensor, groups: int) -> Tensor:
    """Return rows [M, G·C] as [G, M, C]."""
    return transpose(reshape(rows, (-1, groups, rows.shape[1] // groups)), (1, 0, 2))


def _join_groups(rows: Tensor) -> Tensor:
    """Return [G, M, C] as rows [M, G·C]; a matrix is unchanged."""
    if rows.rank == 2:
        return rows
    return reshape(transpose(rows, (1, 0, 2)), (-1, rows.shape[0] * rows.shape[2]))


# --- TRANSPOSE_CONV ----------------------------------------------------------------------------


def transpose_conv_gradient(op: Op, index: int, g: Tensor) -> Tensor:
    """`dx = unfold(g) W`, `dW = xᵀ unfold(g)`, `db = Σ g`, with weights [C, rows, columns, D]."""
    x, weights = op.input(2), op.input(1)
    if index == 3:
        return reduce_sum(g, [0, 1, 2])
    windows = unfold(g, conv_window(op))
    channels, height, width, depth = weights.shape
    if index == 1:
        product = reshape(matmul(_rows(x), windows, adj_x=True), (depth, height, width, channels))
        return transpose(product, (3, 1, 2, 0))
    return reshape_like(matmul(windows, _by_taps(weights)), x)


def transpose_conv_as_product(op: Op, inputs: Sequence[Tensor | None]) -> Tensor:
    """Emit a TRANSPOSE_CONV as a matrix product, which states no batch size."""
    _, weights, x, *bias = inputs
    product = matmul(_rows(required(x)), _by_taps(required(weights)), adj_y=True)
    return _add_bias(op, fold(product, conv_window(op)), *bias)


def _by_taps(weights: Tensor) -> Tensor:
    """Return weights [C, rows, columns, D] as [taps·C, D]."""
    return reshape(transpose(weights, (1, 2, 0, 3)), (-1, weights.shape[3]))


def _add_bias(op: Op, y: Tensor, bias: Tensor | None = None) -> Tensor:
    """Add the bias of a convolution, and apply its fused activation."""
    fused = op.options.get(OPTION, 0)
    if bias is None and not fused:
        return y
    return emit("ADD", y, 0.0 if bias is None else bias, name=op.output.name, **{OPTION: fused})
