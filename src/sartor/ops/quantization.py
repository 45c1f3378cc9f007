"""Quantization and casts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ..graph import DType, Op, Quantization, Tensor
from ._activation import mask_positive
from ._shapes import required, same_output
from ._versions import (
    BF16,
    F16,
    F32,
    F64,
    I4,
    I8,
    I16,
    INT8_2,
    U16,
    U32,
    count_scales,
    has_type,
)  # fmt: skip
from .builder import emit
from .registry import NOT_DIFFERENTIABLE, ZERO, OpRow, Spec, register

__all__ = ["dequantize", "quantize"]


def dequantize(x: Tensor, *, name: str | None = None) -> Tensor:
    """Return `scale · (x − zero_point)` as float32."""
    return emit("DEQUANTIZE", x, name=name)


def quantize(x: Tensor, dtype: DType, quantization: Quantization, *, name: str) -> Tensor:
    """Return `x` (float, or quantized in another way) as the nearest integers."""
    output = x.graph.tensor(name, dtype, x.shape)
    output.quantization = quantization
    x.graph.add(Op("QUANTIZE", (x,), (output,), options_type="QuantizeOptions"))
    return output


def _quantize_gradient(op: Op, _: int, g: Tensor) -> Tensor:
    """`g` where the integers can represent `x`, elsewhere 0 (the straight-through estimator)."""
    x, y = op.input(0), op.output
    per_tensor = y.quantization.per_tensor if y.quantization else None
    if not x.dtype.is_float or per_tensor is None or y.dtype.numpy is None:
        raise ValueError("only floats with one scale are quantized with a gradient")
    scale, zero_point = per_tensor
    limits = np.iinfo(y.dtype.numpy.name)
    low, high = (scale * (limit - zero_point) for limit in (limits.min, limits.max))
    outside = emit("ADD", emit("RELU", emit("SUB", low, x)), emit("RELU", emit("SUB", x, high)))
    return emit("MUL", g, emit("SUB", 1.0, mask_positive(outside)))


def _cast_gradient(op: Op, _: int, g: Tensor) -> Tensor:
    x = op.input(0)
    if x.dtype is not g.dtype:
        raise ValueError(f"a cast from {x.dtype.name} to {g.dtype.name} has no gradient")
    return g


def _infer_cast(inputs: Sequence[Tensor | None], options: Mapping[str, Any]) -> list[Spec]:
    x, number = required(inputs[0]), options.get("outDataType", 0)
    if number:
        raise ValueError(f"a cast to type {number} is not emitted, only to FLOAT32")
    return [(x.shape, DType.FLOAT32)]


def _infer_float(inputs: Sequence[Tensor | None], _: Mapping[str, Any]) -> list[Spec]:
    return [(required(inputs[0]).shape, DType.FLOAT32)]


def _refuse(_: Sequence[Tensor | None], __: Mapping[str, Any]) -> list[Spec]:
    raise ValueError("QUANTIZE is emitted by sartor.ops.quantize")


register(
    OpRow(
        "QUANTIZE", gradients=(_quantize_gradient,), straight_through=True, infer=_refuse,
        options="QuantizeOptions", output_shape=same_output,
        versions=(
            (4, lambda op: I4 in (op.x, op.out)),
            (3, lambda op: count_scales(op.op.outputs[0]) > 1),
            (2, lambda op: op.out is I16),
        ),
    ),
    OpRow(
        "DEQUANTIZE", gradients=(lambda op, _, g: g,), infer=_infer_float,
        options="DequantizeOptions", output_shape=same_output,
        versions=(
            (6, has_type(I4)),
            (3, has_type(I16, F16)),
            (5, lambda op: op.x is I8 and op.per_channel(0)),
            *INT8_2,
        ),
    ),
    OpRow(
        "CAST", gradients=(_cast_gradient,), infer=_infer_cast,
        reference=lambda xs, _: [xs[0] if xs[0].dtype.kind == "f" else xs[0].astype(np.float64)],
        options="CastOptions", output_shape=same_output,
        versions=(
            (7, lambda op: BF16 in (op.x, op.out)),
            (6, lambda op: op.x is I4 and op.out is F32),
            (5, lambda op: {op.x, op.out} & {F64, F16}),
            (4, lambda op: U16 in (op.x, op.out)),
            (3, lambda op: I8 in (op.x, op.out)),
            (2, lambda op: U32 in (op.x, op.out)),
        ),
    ),
    OpRow("BITCAST", gradients=(NOT_DIFFERENTIABLE,)),
    OpRow("BUCKETIZE", gradients=(ZERO,)),
    OpRow("DENSIFY"),
    OpRow("FAKE_QUANT", versions=((2, lambda op: op.option("narrowRange")),)),
    family="Quantization and casts",
)  # fmt: skip
