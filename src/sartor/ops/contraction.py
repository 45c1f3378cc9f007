"""Matrix products and dense layers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeGuard

import numpy as np

from ..graph import Op, Tensor
from ._activation import OPTION
from ._shapes import broadcast_shape, check_bias, required
from ._versions import I4, I8, I16, INT16_3, VersionRule, types
from .builder import Operand, emit
from .reduce import reduce_sum
from .registry import OpRow, Shape, Spec, Weights, register
from .shape import reshape, reshape_like, transpose

__all__ = ["fully_connected", "linear", "matmul"]

_LARGE_PRODUCT = 1_000_000
"""Multiply-adds; in smaller products the order of the operands makes no difference."""


def matmul(x: Operand, y: Operand, *, adj_x: bool = False, adj_y: bool = False) -> Tensor:
    """Return `x @ y` over the last two axes, each transposed on request; others are broadcast.

    BATCH_MATMUL is the fast form for operands that are not constant, because XNNPACK runs it. In
    TensorFlow Lite 2.16 it only runs `x @ yᵀ`, and elsewhere a scalar loop may take 20 times as
    long. So matrices are transposed by ops of their own; a constant is left as it is.

    XNNPACK repacks the second operand at every call. If it is much larger than the first, the
    transposed product is computed, and transposed: in 0.3 to 0.8 of the time.
    """
    if _is_matrix(x) and _is_matrix(y):
        x = transpose(x, (1, 0)) if adj_x else x
        y = y if adj_y else transpose(y, (1, 0))
        if _is_faster_transposed(x, y):
            return transpose(emit("BATCH_MATMUL", y, x, adjX=False, adjY=True), (1, 0))
        return emit("BATCH_MATMUL", x, y, adjX=False, adjY=True)
    return emit("BATCH_MATMUL", x, y, adjX=adj_x, adjY=adj_y)


def fully_connected(x: Tensor, weights: Operand, bias: Operand | None = None) -> Tensor:
    """Return `x @ weightsᵀ + bias`: [..., F] and [C, F] → [N, C], all axes but the last joined."""
    return emit("FULLY_CONNECTED", x, weights, bias)


def linear(x: Tensor, weights: Tensor) -> Tensor:
    """Return `x @ weightsᵀ` for weights that are not constant: [N, F] and [C, F] → [N, C].

    One row uses FULLY_CONNECTED. With more rows, multiplying from the left and transposing the
    small result is up to three times as fast as any form for which the kernel repacks the weights.
    """
    if x.shape[0] == 1:
        return fully_connected(x, weights)
    return transpose(matmul(weights, x, adj_y=True), (1, 0))


# --- BATCH_MATMUL ------------------------------------------------------------------------------


def _is_matrix(operand: Operand) -> TypeGuard[Tensor]:
    return isinstance(operand, Tensor) and operand.rank == 2 and not operand.is_constant


def _is_faster_transposed(x: Tensor, y: Tensor) -> bool:
    """Return True if `y xᵀ` and a transposition are faster than `x yᵀ`.

    A transposed number of the result costs one and a half times as much as a packed number.
    """
    (rows, depth), columns = x.shape, y.shape[0]
    is_large = rows * columns * depth > _LARGE_PRODUCT and columns > rows
    return is_large and (columns - rows) * depth > 1.5 * rows * columns


def _swap(shape: Shape, adjoint: object) -> Shape:
    return (*shape[:-2], shape[-1], shape[-2]) if adjoint else shape


def _infer_product(inputs: Sequence[Tensor | None], options: Mapping[str, Any]) -> list[Spec]:
    x, y = required(inputs[0]), required(inputs[1])
    if x.rank < 2 or y.rank < 2:
        raise ValueError("both inputs need rank 2 or more")
    left, right = _swap(x.shape, options.get("adjX")), _swap(y.shape, options.get("adjY"))
    if left[-1] != right[-2]:
        raise ValueError(f"inner sizes {left[-1]} and {right[-2]} differ")
    return [((*broadcast_shape(left[:-2], right[:-2]), left[-2], right[-1]), x.dtype)]


def _product_output(op: Op) -> Shape:
    x, y = op.input(0).shape, op.input(1).shape
    rows, depth = (x[-1], x[-2]) if op.options["adjX"] else (x[-2], x[-1])
    other, columns = (y[-1], y[-2]) if op.options["adjY"] else (y[-2], y[-1])
    if depth != other:
        raise ValueError(f"{list(x)} and {list(y)} share no axis")
    return (*np.broadcast_shapes(x[:-2], y[:-2]), rows, columns)


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


def _np_product(xs: Sequence[Any], options: Mapping[str, Any]) -> list[np.ndarray]:
    x = np.swapaxes(xs[0], -1, -2) if options.get("adjX") else xs[0]
    y = np.swapaxes(xs[1], -1, -2) if options.get("adjY") else xs[1]
    return [x @ y]


def _count_product(op: Op) -> int:
    return op.output.size * op.input(0).shape[-2 if op.options.get("adjX") else -1]


# --- FULLY_CONNECTED ---------------------------------------------------------------------------


def _infer_dense(inputs: Sequence[Tensor | None], options: Mapping[str, Any]) -> list[Spec]:
    x, weights = required(inputs[0]), required(inputs[1])
    units, size = weights.shape
    if options.get("weightsFormat"):
        raise ValueError("shuffled weights are not supported")
    if x.size % size:
        raise ValueError(f"{x.size} elements do not fill rows of {size}")
    if options.get("keepNumDims"):
        if x.shape[-1] != size:
            raise ValueError(f"the last axis has {x.shape[-1]} elements, the weights take {size}")
        return [((*x.shape[:-1], units), x.dtype)]
    return [((x.size // size, units), x.dtype)]


def _check_dense(op: Op) -> None:
    units, depth = op.input(1).shape
    rows, rest = divmod(op.input(0).size, depth)
    if rest:
        raise ValueError(f"{op.input(0).size} elements do not fill rows of {depth}")
    check_bias(op, units)
    if op.outputs[0].size != rows * units:
        raise ValueError(f"{rows} rows of {units} are not {list(op.outputs[0].shape)}")


def _rows(tensor: Tensor, width: int) -> Tensor:
    """Return the tensor as rows of `width`."""
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


def _dense_any_batch(op: Op, inputs: Sequence[Tensor | None], _: int) -> Tensor:
    """Use the fast form for weights that are not constant; its bias carries the activation."""
    x, weights, bias = (required(tensor) for tensor in inputs)
    if x.rank != 2 or weights.is_constant:
        options = {**op.options, "asymmetricQuantizeInputs": False}
        return emit(op.code, x, weights, bias, name=op.output.name, **options)
    fused = {OPTION: op.options.get(OPTION, 0)}
    return emit("ADD", linear(x, weights), bias, name=op.output.name, **fused)


def _np_dense(xs: Sequence[Any], options: Mapping[str, Any]) -> list[np.ndarray]:
    x, weights = xs[0], xs[1]
    y = x.reshape(-1, weights.shape[1]) @ weights.T
    if len(xs) > 2 and xs[2] is not None:
        y = y + xs[2]
    return [y.reshape(*x.shape[:-1], -1) if options.get("keepNumDims") else y]


_DENSE_VERSIONS: tuple[VersionRule, ...] = (
    (13, types(I16, I4, I16)),
    (12, lambda op: op.hybrid and op.per_channel(1)),
    (11, lambda op: types(I16, I8, I16)(op) and op.option("quantizedBiasType")),
    (8, lambda op: getattr(op.tensor(1), "sparsity", None) is not None),
    (7, types(I16, I16, I16)),
    (6, lambda op: op.count == 2),
    (5, lambda op: op.option("keepNumDims")),
    (4, types(I8, I8, I8)),
    (10, types(I8, I4, I8)),
    (9, lambda op: op.hybrid and op.asymmetric),
    (3, lambda op: op.hybrid),
    (2, lambda op: op.option("weightsFormat")),
)

register(
    OpRow(
        "BATCH_MATMUL", gradients=(_product_gradient, _product_gradient), infer=_infer_product,
        reference=_np_product, options="BatchMatMulOptions", broadcasts=True, weights=Weights(1),
        weight_formats=("int8",), parameters={0: "weights", 1: "weights"},
        multiply_adds=_count_product, output_shape=_product_output, inputs=2,
        versions=(*INT16_3, (4, lambda op: op.hybrid and op.asymmetric)),
    ),
    OpRow(
        "FULLY_CONNECTED", gradients=(_dense_gradient,) * 3, infer=_infer_dense,
        reference=_np_dense, options="FullyConnectedOptions", any_batch=_dense_any_batch,
        activation=True, weights=Weights(1, channel_axis=0, bias=2),
        weight_formats=("int8", "float16"), parameters={1: "weights", 2: "bias"},
        multiply_adds=lambda op: op.output.size * op.input(1).shape[1], output_shape=_check_dense,
        inputs=2, optional_from=2, versions=_DENSE_VERSIONS,
    ),
    family="Matrix products",
)  # fmt: skip
