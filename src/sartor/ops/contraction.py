"""Ops that multiply matrices."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ..graph import Op, Tensor
from ._shapes import broadcast_shape, given
from .builder import Operand, emit
from .reduce import reduce_sum
from .registry import OpRow, Spec, register
from .shape import reshape, reshape_like, transpose

__all__ = ["fully_connected", "linear", "matmul"]


def matmul(x: Operand, y: Operand, *, adj_x: bool = False, adj_y: bool = False) -> Tensor:
    """`x @ y` over the last two axes, each transposed on request; the others are broadcast.

    BATCH_MATMUL is the fast form for operands that are not constant (litert: XNNPACK).
    """
    return emit("BATCH_MATMUL", x, y, adjX=adj_x, adjY=adj_y)


def fully_connected(x: Tensor, weights: Operand, bias: Operand | None = None) -> Tensor:
    """`x @ weightsᵀ + bias`: [..., F] and [C, F] → [N, C], all axes but the last joined."""
    return emit("FULLY_CONNECTED", x, weights, bias)


def linear(x: Tensor, weights: Tensor) -> Tensor:
    """`x @ weightsᵀ` for weights that are no constant: [N, F] and [C, F] → [N, C].

    One row goes through FULLY_CONNECTED. For more, multiplying from the left and transposing the
    small result is up to three times as fast as any form in which the kernel has to repack the
    weights.
    """
    if x.shape[0] == 1:
        return fully_connected(x, weights)
    return transpose(matmul(weights, x, adj_y=True), (1, 0))


def _swap(shape: tuple[int, ...], adjoint: object) -> tuple[int, ...]:
    return (*shape[:-2], shape[-1], shape[-2]) if adjoint else shape


def _product(inputs: Sequence[Tensor | None], options: Mapping[str, Any]) -> list[Spec]:
    x, y = given(inputs[0]), given(inputs[1])
    if x.rank < 2 or y.rank < 2:
        raise ValueError("both inputs need rank 2 or more")
    left, right = _swap(x.shape, options.get("adjX")), _swap(y.shape, options.get("adjY"))
    if left[-1] != right[-2]:
        raise ValueError(f"inner sizes {left[-1]} and {right[-2]} differ")
    return [((*broadcast_shape(left[:-2], right[:-2]), left[-2], right[-1]), x.dtype)]


def _product_gradient(op: Op, index: int, g: Tensor) -> Tensor:
    """`dX = g Yᵀ` and `dY = Xᵀ g`, transposed where the op transposed its input.

    Where one matrix `Y` serves many `X`, all rows of `X` are taken together: one product, instead
    of one each and a sum over them.
    """
    x, y = op.input(0), op.input(1)
    adj_x, adj_y = bool(op.options.get("adjX")), bool(op.options.get("adjY"))
    if index == 0:
        if adj_x:
            return matmul(y, g, adj_x=adj_y, adj_y=True)
        return matmul(g, y, adj_y=not adj_y)
    if y.rank == 2 and x.rank > 2 and not adj_x:
        x, g = reshape(x, (-1, x.shape[-1])), reshape(g, (-1, g.shape[-1]))
    if adj_y:
        return matmul(g, x, adj_x=True, adj_y=adj_x)
    return matmul(x, g, adj_x=not adj_x)


def _dense(inputs: Sequence[Tensor | None], options: Mapping[str, Any]) -> list[Spec]:
    x, weights = given(inputs[0]), given(inputs[1])
    units, size = weights.shape
    if options.get("weightsFormat"):
        raise ValueError("shuffled weights are not supported")
    if x.size % size:
        raise ValueError(f"{x.size} elements are no rows of {size}")
    if options.get("keepNumDims"):
        if x.shape[-1] != size:
            raise ValueError(f"the last axis has {x.shape[-1]} elements, the weights take {size}")
        return [((*x.shape[:-1], units), x.dtype)]
    return [((x.size // size, units), x.dtype)]


def _rows(tensor: Tensor, width: int) -> Tensor:
    """The tensor as rows of `width`."""
    return tensor if tensor.shape[1:] == (width,) else reshape(tensor, (-1, width))


def _dense_gradient(op: Op, index: int, g: Tensor) -> Tensor:
    """`dX = g W`, `dW = gᵀ X`, `db = Σ g`, over rows."""
    x, weights = op.input(0), op.input(1)
    units, size = weights.shape
    g = _rows(g, units)
    if index == 0:
        dx = matmul(g, weights)
        return dx if x.shape[1:] == (size,) else reshape_like(dx, x)
    if index == 1:
        return matmul(g, _rows(x, size), adj_x=True)
    return reduce_sum(g, [0])


def _np_product(xs: Sequence[Any], options: Mapping[str, Any]) -> list[np.ndarray]:
    x = np.swapaxes(xs[0], -1, -2) if options.get("adjX") else xs[0]
    y = np.swapaxes(xs[1], -1, -2) if options.get("adjY") else xs[1]
    return [x @ y]


def _np_dense(xs: Sequence[Any], options: Mapping[str, Any]) -> list[np.ndarray]:
    x, weights = xs[0], xs[1]
    y = x.reshape(-1, weights.shape[1]) @ weights.T
    if len(xs) > 2 and xs[2] is not None:
        y = y + xs[2]
    return [y.reshape(*x.shape[:-1], -1) if options.get("keepNumDims") else y]


def _product_cost(op: Op) -> int:
    inner = op.input(0).shape[-2 if op.options.get("adjX") else -1]
    return 2 * op.output.size * inner


register(
    OpRow(
        "BATCH_MATMUL", _product, (_product_gradient, _product_gradient), _np_product,
        options="BatchMatMulOptions", broadcasts=True, cost=_product_cost,
    ),
    OpRow(
        "FULLY_CONNECTED", _dense, (_dense_gradient,) * 3, _np_dense,
        options="FullyConnectedOptions", activation=True,
        cost=lambda op: 2 * op.output.size * op.input(1).shape[1],
    ),
)  # fmt: skip
