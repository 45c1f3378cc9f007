"""Draw what surrounds a dense layer of constant weights into its weights and bias."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ..graph import Graph, Op, Tensor
from ..ops import add, fully_connected, matmul, mul

__all__ = ["merge_dense"]


def merge_dense(graph: Graph) -> None:
    """Rewrite until each dense layer is one FULLY_CONNECTED with a bias, as kernels want it.

    A factor of the whole row (a length, a temperature) moves behind the layer, where it takes C
    products instead of F, and from there into the weights where it is constant. The sum of
    squares becomes a product of the row with itself: for integers, the only form that keeps the
    small addends.

    Args:
        graph: of one row; changed, and pruned.
    """
    while any(_rewrite(graph, op) for op in list(graph.ops)):
        graph.prune()


def _rewrite(graph: Graph, op: Op) -> bool:
    """Put something simpler in place of an op; False where no rule fits."""
    for rule in _RULES:
        start = len(graph.ops)
        new = rule(op)
        if new is not None:
            made, graph.ops = graph.ops[start:], graph.ops[:start]
            place = graph.ops.index(op)
            graph.ops[place:place] = made
            new.name = op.output.name
            graph.replace_uses(op.output, new)
            graph.remove([op])
            return True
    return False


def _product_with_constant(op: Op) -> Tensor | None:
    """`x · Y` or `x · Yᵀ` of one constant matrix → FULLY_CONNECTED."""
    if op.code != "BATCH_MATMUL" or op.options.get("adjX"):
        return None
    x, y = op.input(0), op.input(1)
    if not _is_weights(y) or x.rank != 2:
        return None
    return fully_connected(x, y if op.options.get("adjY") else y.value.T)


def _sum_of_squares(op: Op) -> Tensor | None:
    """`Σ x²` of one row → `x · xᵀ`."""
    made = _sole(op.input(0), "SQUARE") if op.code == "SUM" else None
    if made is None or op.output.shape != (1, 1) or made.input(0).rank != 2:
        return None
    x = made.input(0)
    return matmul(x, x, adj_y=True) if x.shape[0] == 1 else None


def _quotient(op: Op) -> Tensor | None:
    """`y / c` → `y · (1/c)`."""
    c = _constant_factor(op, "DIV", 1)
    return None if c is None else mul(op.input(0), _as_factor(1 / c))


def _scaled_row(op: Op) -> Tensor | None:
    """`(x · r) Wᵀ` → `(x Wᵀ) · r`, where r is one number."""
    if op.code != "FULLY_CONNECTED" or _bias(op) is not None or _is_active(op):
        return None
    made = _sole(op.input(0), "MUL")
    if made is None or not _is_weights(op.input(1)):
        return None
    for x, r in (made.inputs, made.inputs[::-1]):
        if x is not None and r is not None and r.size == 1 and x.shape == made.output.shape:
            return mul(fully_connected(x, op.input(1)), r)
    return None


def _shifted_row(op: Op) -> Tensor | None:
    """`(x − c) Wᵀ` → `x Wᵀ − c Wᵀ`."""
    if op.code != "FULLY_CONNECTED" or _bias(op) is not None or _is_active(op):
        return None
    made, weights = _sole(op.input(0), "SUB"), op.input(1)
    if made is None or not _is_weights(weights) or not _is_real(made.input(1)):
        return None
    x, c = made.input(0), made.input(1)
    if c.shape != x.shape[-1:]:
        return None
    shift = weights.value.astype(np.float64) @ c.value
    return add(fully_connected(x, weights), _as_float32(-shift))


def _scaled_sum(op: Op) -> Tensor | None:
    """`(z + b) · c` → `z · c + b · c`."""
    c, made = _constant_factor(op, "MUL", 1), _sole(op.input(0), "ADD") if op.inputs else None
    if c is None or made is None or not _is_real(made.input(1)):
        return None
    return add(mul(made.input(0), _as_factor(c)), _as_float32(made.input(1).value * c))


def _scaled_twice(op: Op) -> Tensor | None:
    """`(z · r) · c` → `(z · c) · r`: the constant goes on toward the weights."""
    c, made = _constant_factor(op, "MUL", 1), _sole(op.input(0), "MUL") if op.inputs else None
    if c is None or made is None or made.input(1).size != 1 or made.input(1).is_constant:
        return None
    return mul(mul(made.input(0), _as_factor(c)), made.input(1))


def _scaled_layer(op: Op) -> Tensor | None:
    """`(x Wᵀ + b) · c` → `x (c W)ᵀ + c b`."""
    c = _constant_factor(op, "MUL", 1)
    layer = _layer(op.input(0)) if c is not None else None
    if c is None or layer is None:
        return None
    bias = _bias(layer)
    weights = _as_float32(layer.input(1).value * c)
    scaled = None if bias is None else _as_float32(bias.value * c)
    return fully_connected(layer.input(0), weights, scaled)


def _added_bias(op: Op) -> Tensor | None:
    """`x Wᵀ + b` → one layer with a bias; if it has one, with the sum."""
    layer = _layer(op.input(0)) if op.code == "ADD" and not _is_active(op) else None
    if layer is None or not _is_real(op.input(1)):
        return None
    if op.input(1).shape != op.output.shape[-1:]:
        return None
    own = _bias(layer)
    bias = op.input(1) if own is None else _as_float32(own.value + op.input(1).value)
    return fully_connected(layer.input(0), layer.input(1), bias)


def _added_twice(op: Op) -> Tensor | None:
    """`(z + a) + b` → `z + (a + b)`."""
    made = _sole(op.input(0), "ADD") if op.code == "ADD" and not _is_active(op) else None
    if made is None or not _is_real(made.input(1)) or not _is_real(op.input(1)):
        return None
    if made.output.shape != made.input(0).shape or op.output.shape != made.output.shape:
        return None
    return add(made.input(0), _as_float32(made.input(1).value + op.input(1).value))


_RULES: tuple[Callable[[Op], Tensor | None], ...] = (
    _product_with_constant, _sum_of_squares, _quotient, _scaled_row, _shifted_row, _scaled_sum,
    _scaled_twice, _scaled_layer, _added_bias, _added_twice,
)  # fmt: skip


def _sole(tensor: Tensor, code: str) -> Op | None:
    """The op of this code that makes a tensor which nothing else uses."""
    made = tensor.producer
    sole = made is not None and made.code == code and len(tensor.consumers) == 1
    return made if sole and made is not None and not _is_active(made) else None


def _layer(tensor: Tensor) -> Op | None:
    """The dense layer of constant weights that makes a tensor which nothing else uses."""
    made = _sole(tensor, "FULLY_CONNECTED")
    if made is None or not _is_weights(made.input(1)) or made.options.get("keepNumDims"):
        return None
    bias = _bias(made)
    return made if bias is None or _is_real(bias) else None


def _constant_factor(op: Op, code: str, index: int) -> np.float32 | None:
    """The one number that an op of this code multiplies or divides by, where it is constant."""
    if op.code != code or _is_active(op) or op.output.shape != op.input(0).shape:
        return None
    factor = op.input(index)
    return factor.value.reshape(-1)[0] if factor.size == 1 and _is_real(factor) else None


def _bias(layer: Op) -> Tensor | None:
    return layer.inputs[2] if len(layer.inputs) > 2 else None


def _is_active(op: Op) -> bool:
    return bool(op.options.get("fusedActivationFunction"))


def _is_real(tensor: Tensor) -> bool:
    return tensor.is_constant and tensor.dtype.name == "FLOAT32"


def _is_weights(tensor: Tensor) -> bool:
    return _is_real(tensor) and tensor.rank == 2


def _as_float32(value: np.ndarray) -> np.ndarray:
    return np.asarray(value, np.float32)


def _as_factor(value: np.float32) -> np.ndarray:
    return np.array([value], np.float32)
