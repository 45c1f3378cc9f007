"""Quantization and casts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..graph import DType, Op, Quantization, Tensor
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


def _infer_float(inputs: Sequence[Tensor | None], _: Mapping[str, Any]) -> list[Spec]:
    return [(required(inputs[0]).shape, DType.FLOAT32)]


def _refuse(_: Sequence[Tensor | None], __: Mapping[str, Any]) -> list[Spec]:
    raise ValueError("QUANTIZE is emitted by sartor.ops.quantize")


register(
    OpRow(
        "QUANTIZE", gradients=(NOT_DIFFERENTIABLE,), infer=_refuse, options="QuantizeOptions",
        output_shape=same_output,
        versions=(
            (4, lambda op: I4 in (op.x, op.out)),
            (3, lambda op: count_scales(op.op.outputs[0]) > 1),
            (2, lambda op: op.out is I16),
        ),
    ),
    OpRow(
        "DEQUANTIZE", gradients=(NOT_DIFFERENTIABLE,), infer=_infer_float,
        options="DequantizeOptions", output_shape=same_output,
        versions=(
            (6, has_type(I4)),
            (3, has_type(I16, F16)),
            (5, lambda op: op.x is I8 and op.per_channel(0)),
            *INT8_2,
        ),
    ),
    OpRow(
        "CAST", output_shape=same_output,
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
