"""How a model is quantized, by its layers with weights."""

from __future__ import annotations

from ..graph import DType, Tensor
from .base import BaseGraph

__all__ = ["quantization_of"]

_FLOAT = "float32"


def quantization_of(base: BaseGraph) -> str:
    """In words: `float32`, `float16 weights`, `int8 weights (dynamic range)`, `int8`, `uint8`.

    Layers that compute in integers may be quantized `per channel`. Where layers differ, all that
    there is is named.
    """
    layers = [
        (op.output, max(weights[1], key=lambda tensor: tensor.size))
        for op in base.ops
        if 1 in (weights := base.weights[op]) and any(t.rank > 1 for t in weights[1])
    ]
    if not layers:
        return base.ops[-1].output.dtype.name.lower() if base.ops else "none"
    kinds = sorted({_kind(output, weights) for output, weights in layers}, key=_FLOAT.__eq__)
    channels = any(_is_per_channel(weights) for output, weights in layers if _is_integer(output))
    return " and ".join(kinds) + (", per channel" if channels else "")


def _kind(output: Tensor, weights: Tensor) -> str:
    name = weights.dtype.name.lower()
    if _is_integer(output):
        inside = output.dtype.name.lower()
        return inside if inside == name else f"{inside} with {name} weights"
    if weights.dtype is DType.FLOAT32:
        return _FLOAT
    return f"{name} weights" + ("" if weights.dtype.is_float else " (dynamic range)")


def _is_integer(output: Tensor) -> bool:
    return not output.dtype.is_float


def _is_per_channel(weights: Tensor) -> bool:
    return weights.quantization is not None and weights.quantization.scale.size > 1
