"""Describe the quantization of a model by its layers with weights."""

from __future__ import annotations

from ..graph import DType, Tensor
from ..passes.dataflow import Dataflow

__all__ = ["format_quantization"]

_FLOAT = "float32"


def format_quantization(flow: Dataflow) -> str:
    """Return the schemes of the layers with weights.

    They are `float32`, `float16 weights`, `int8 weights (dynamic range)`, `int8` or `uint8`, the
    last two possibly `per channel`. If layers differ, all schemes are listed.
    """
    layers = [
        (op.output, max(weights[1], key=lambda tensor: tensor.size))
        for op in flow.ops
        if 1 in (weights := flow.weights[op]) and any(t.rank > 1 for t in weights[1])
    ]
    if not layers:
        return flow.ops[-1].output.dtype.name.lower() if flow.ops else "none"
    schemes = sorted({_scheme(output, weights) for output, weights in layers}, key=_FLOAT.__eq__)
    per_channel = any(
        _is_per_channel(weights) for output, weights in layers if not output.dtype.is_float
    )
    return " and ".join(schemes) + (", per channel" if per_channel else "")


def _scheme(output: Tensor, weights: Tensor) -> str:
    weights_dtype = weights.dtype.name.lower()
    if not output.dtype.is_float:
        dtype = output.dtype.name.lower()
        return dtype if dtype == weights_dtype else f"{dtype} with {weights_dtype} weights"
    if weights.dtype is DType.FLOAT32:
        return _FLOAT
    return f"{weights_dtype} weights" + ("" if weights.dtype.is_float else " (dynamic range)")


def _is_per_channel(weights: Tensor) -> bool:
    return weights.quantization is not None and weights.quantization.scale.size > 1
