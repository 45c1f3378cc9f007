"""Between reals and the integers that stand for them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..graph import DType, Op, Quantization, Tensor
from ._shapes import given
from .builder import emit
from .registry import OpRow, Spec, State, register

__all__ = ["dequantize", "quantize"]


def dequantize(x: Tensor, *, name: str | None = None) -> Tensor:
    """`scale · (x − zero_point)` as float32."""
    return emit("DEQUANTIZE", x, name=name)


def quantize(x: Tensor, dtype: DType, quantization: Quantization, *, name: str) -> Tensor:
    """The nearest integers that stand for `x` (reals, or integers of another quantization)."""
    output = x.graph.tensor(name, dtype, x.shape)
    output.quantization = quantization
    x.graph.add(Op("QUANTIZE", (x,), (output,), options_type="QuantizeOptions"))
    return output


def _reals(inputs: Sequence[Tensor | None], _: Mapping[str, Any]) -> list[Spec]:
    return [(given(inputs[0]).shape, DType.FLOAT32)]


def _made_here(_: Sequence[Tensor | None], __: Mapping[str, Any]) -> list[Spec]:
    raise ValueError("QUANTIZE is made by sartor.ops.quantization.quantize")


register(
    OpRow(
        "DEQUANTIZE", _reals, (State.NOT_DIFFERENTIABLE,), None, options="DequantizeOptions"
    ),
    OpRow("QUANTIZE", _made_here, (State.NOT_DIFFERENTIABLE,), None, options="QuantizeOptions"),
)  # fmt: skip
