"""Rewrite rules that merge the ops around a dense layer into its weights and bias."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ..graph import Op, Tensor
from ..ops import add, fully_connected, matmul, mul

__all__ = ["DENSE_RULES"]


def _convert_matmul(op: Op) -> Tensor | None:
    """`x · Y` or `x · Yᵀ` of one constant matrix → FULLY_CONNECTED."""
    if op.code != "BATCH_MATMUL" or op.options.get("adjX"):
        return None
    x, y = op.input(0), op.input(1)
    if not _is_weight_matrix(y) or x.rank != 2:
        return None
    return fully_connected(x, y if op.options.get("adjY") else y.value.T)


def _convert_sum_of_squares(op: Op) -> Tensor | None:
    """`Σ x²` of one row → `x · xᵀ`."""
    producer = _sole_producer(op.input(0), "SQUARE") if op.code == "SUM" else None
    if producer is None or op.output.shape != (1, 1) or producer.input(0).rank != 2:
        return None
    x = producer.input(0)
    return matmul(x, x, adj_y=True) if x.shape[0] == 1 else None


def _convert_division(op: Op) -> Tensor | None:
    """`y / c` → `y · (1/c)`."""
    c = _constant_factor(op, "DIV", 1)
    return None if c is None else mul(op.input(0), _vector(1 / c))


def _move_factor_behind_layer(op: Op) -> Tensor | None:
    """`(x · r) Wᵀ` → `(x Wᵀ) · r`, if r is one number."""
    if op.code != "FULLY_CONNECTED" or _bias(op) is not None or _has_activation(op):
        return None
    producer = _sole_producer(op.input(0), "MUL")
    if producer is None or not _is_weight_matrix(op.input(1)):
        return None
    for x, r in (producer.inputs, producer.inputs[::-1]):
        if x is not None and r is not None and r.size == 1 and x.shape == producer.output.shape:
            return mul(fully_connected(x, op.input(1)), r)
    return None


def _move_center_into_bias(op: Op) -> Tensor | None:
    """`(x − c) Wᵀ` → `x Wᵀ − c Wᵀ`."""
    if op.code != "FULLY_CONNECTED" or _bias(op) is not None or _has_activation(op):
        return None
    producer, weights = _sole_producer(op.input(0), "SUB"), op.input(1)
    if (
        producer is None
        or not _is_weight_matrix(weights)
        or not _is_float_constant(producer.input(1))
    ):
        return None
    x, c = producer.input(0), producer.input(1)
    if c.shape != x.shape[-1:]:
        return None
    shift = weights.value.astype(np.float64) @ c.value
    return add(fully_connected(x, weights), _float32(-shift))


def _move_factor_before_bias(op: Op) -> Tensor | None:
    """`(z + b) · c` → `z · c + b · c`."""
    c, producer = (
        _constant_factor(op, "MUL", 1),
        _sole_producer(op.input(0), "ADD") if op.inputs else None,
    )
    if c is None or producer is None or not _is_float_constant(producer.input(1)):
        return None
    return add(mul(producer.input(0), _vector(c)), _float32(producer.input(1).value * c))


def _move_constant_factor(op: Op) -> Tensor | None:
    """`(z · r) · c` → `(z · c) · r`: moves the constant toward the weights."""
    c, producer = (
        _constant_factor(op, "MUL", 1),
        _sole_producer(op.input(0), "MUL") if op.inputs else None,
    )
    if (
        c is None
        or producer is None
        or producer.input(1).size != 1
        or producer.input(1).is_constant
    ):
        return None
    return mul(mul(producer.input(0), _vector(c)), producer.input(1))


def _merge_factor(op: Op) -> Tensor | None:
    """`(x Wᵀ + b) · c` → `x (c W)ᵀ + c b`."""
    c = _constant_factor(op, "MUL", 1)
    layer = _sole_layer(op.input(0)) if c is not None else None
    if c is None or layer is None:
        return None
    bias = _bias(layer)
    weights = _float32(layer.input(1).value * c)
    scaled = None if bias is None else _float32(bias.value * c)
    return fully_connected(layer.input(0), weights, scaled)


def _merge_bias(op: Op) -> Tensor | None:
    """`x Wᵀ + b` → one layer; its bias is the sum of the biases."""
    layer = _sole_layer(op.input(0)) if op.code == "ADD" and not _has_activation(op) else None
    if layer is None or not _is_float_constant(op.input(1)):
        return None
    if op.input(1).shape != op.output.shape[-1:]:
        return None
    own = _bias(layer)
    bias = op.input(1) if own is None else _float32(own.value + op.input(1).value)
    return fully_connected(layer.input(0), layer.input(1), bias)


def _merge_biases(op: Op) -> Tensor | None:
    """`(z + a) + b` → `z + (a + b)`."""
    producer = (
        _sole_producer(op.input(0), "ADD") if op.code == "ADD" and not _has_activation(op) else None
    )
    if (
        producer is None
        or not _is_float_constant(producer.input(1))
        or not _is_float_constant(op.input(1))
    ):
        return None
    if producer.output.shape != producer.input(0).shape or op.output.shape != producer.output.shape:
        return None
    return add(producer.input(0), _float32(producer.input(1).value + op.input(1).value))


def _sole_producer(tensor: Tensor, code: str) -> Op | None:
    """Return the producer of a tensor if it has this code and no other op uses the tensor."""
    producer = tensor.producer
    if producer is None or producer.code != code or len(tensor.consumers) != 1:
        return None
    return None if _has_activation(producer) else producer


def _sole_layer(tensor: Tensor) -> Op | None:
    """Return the dense layer with constant weights that computes a tensor for one op only."""
    producer = _sole_producer(tensor, "FULLY_CONNECTED")
    if (
        producer is None
        or not _is_weight_matrix(producer.input(1))
        or producer.options.get("keepNumDims")
    ):
        return None
    bias = _bias(producer)
    return producer if bias is None or _is_float_constant(bias) else None


def _constant_factor(op: Op, code: str, index: int) -> np.float32 | None:
    """Return the constant number that an op of this code multiplies or divides by, or None."""
    if op.code != code or _has_activation(op) or op.output.shape != op.input(0).shape:
        return None
    factor = op.input(index)
    return factor.value.reshape(-1)[0] if factor.size == 1 and _is_float_constant(factor) else None


def _bias(layer: Op) -> Tensor | None:
    return layer.inputs[2] if len(layer.inputs) > 2 else None


def _has_activation(op: Op) -> bool:
    return bool(op.options.get("fusedActivationFunction"))


def _is_float_constant(tensor: Tensor) -> bool:
    return tensor.is_constant and tensor.dtype.name == "FLOAT32"


def _is_weight_matrix(tensor: Tensor) -> bool:
    return _is_float_constant(tensor) and tensor.rank == 2


def _float32(value: np.ndarray) -> np.ndarray:
    return np.asarray(value, np.float32)


def _vector(value: np.float32) -> np.ndarray:
    return np.array([value], np.float32)


DENSE_RULES: tuple[Callable[[Op], Tensor | None], ...] = (
    _convert_matmul,
    _convert_sum_of_squares,
    _convert_division,
    _move_factor_behind_layer,
    _move_center_into_bias,
    _move_factor_before_bias,
    _move_constant_factor,
    _merge_factor,
    _merge_bias,
    _merge_biases,
)
"""Each rule returns a simpler tensor for the output of an op, or None if it does not apply."""
