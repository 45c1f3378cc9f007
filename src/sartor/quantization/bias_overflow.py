"""Correct int32 biases that overflow.

The step of a quantized bias is (scale of the input · scale of the channel's weights). If training
has made a channel constant, its weights are about zero, and so are their scale and this step. The
bias then exceeds 2³¹ steps and is clipped, which loses a constant that later layers may need. Such
a channel gets a larger scale: its weights round to zero and its bias fits.
"""

from __future__ import annotations

import numpy as np

from ..graph import Graph, Op, Quantization, Tensor
from ..ops import Weights, find_row

__all__ = ["correct_bias_overflow"]

_MAX_STEPS = 2**30


def correct_bias_overflow(original: Graph, quantized: Graph) -> None:
    """Increase the scale of each channel whose bias does not fit into int32.

    Args:
        original: the float graph.
        quantized: the same graph after quantization, with the same tensor names; changed in place.
    """
    float_ops = {op.output.name: op for op in original.ops if op.outputs}
    for op in quantized.ops:
        float_op = float_ops.get(op.output.name) if op.outputs else None
        layer = find_row(op).weights
        if float_op is not None and layer is not None and _is_per_channel(op, layer):
            _correct_op(op, float_op, layer)
    quantized.prune()


def _is_per_channel(op: Op, layer: Weights) -> bool:
    """Return whether an op has per-channel weights and a constant int32 bias."""
    if layer.channel_axis is None or layer.bias is None or len(op.inputs) <= layer.bias:
        return False
    weights, bias = op.input(layer.input), op.inputs[layer.bias]
    if bias is None or not bias.is_constant or not weights.is_constant:
        return False
    scales = weights.quantization.scale.size if weights.quantization is not None else 0
    return bias.quantization is not None and scales == bias.size > 0


def _correct_op(op: Op, float_op: Op, layer: Weights) -> None:
    if layer.channel_axis is None or layer.bias is None:
        return
    x, weights, bias = (op.input(i) for i in (layer.data, layer.input, layer.bias))
    float_bias, axis = float_op.input(layer.bias), layer.channel_axis
    per_tensor = x.quantization.per_tensor if x.quantization is not None else None
    if per_tensor is None or weights.quantization is None or not float_bias.is_constant:
        return
    input_scale = per_tensor[0]
    old_scale = weights.quantization.scale.astype(np.float64)
    smallest_scale = np.abs(float_bias.value) / (input_scale * _MAX_STEPS)
    scale = np.maximum(old_scale, smallest_scale).astype(np.float32)
    if not (scale > old_scale * (1 + 1e-6)).any():
        return
    other_axes = tuple(index for index in range(weights.rank) if index != axis)
    ratio = np.expand_dims(old_scale / scale, other_axes)
    new_weights = np.rint(weights.value * ratio).astype(np.int8)
    steps = input_scale * scale.astype(np.float64)
    new_bias = np.rint(float_bias.value / steps).astype(np.int32)
    zeros = np.zeros(steps.size, np.int64)
    inputs = list(op.inputs)
    inputs[layer.input] = _constant_like(
        weights, new_weights, Quantization(scale, weights.quantization.zero_point, axis)
    )
    inputs[layer.bias] = _constant_like(
        bias, new_bias, Quantization(steps.astype(np.float32), zeros)
    )
    op.set_inputs(inputs)


def _constant_like(old: Tensor, value: np.ndarray, quantization: Quantization) -> Tensor:
    """Add a constant with its own scales; other ops may share `old`."""
    new = old.graph.tensor(old.name, old.dtype, value.shape)
    new.data = np.frombuffer(value.tobytes(), np.uint8)
    new.quantization = quantization
    return new
