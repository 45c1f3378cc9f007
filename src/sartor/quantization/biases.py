"""Biases that 32 bits cannot hold, and what is done about them.

A bias is stored in steps of (scale of the input · scale of the weights). Where a channel has
learned to be constant its weights are about zero, so are their scale and that step, and the bias
is cut off at 2³¹ steps: a constant that later layers count on is lost. So such a channel gets a
larger scale: its weights round to zero, which they are, and its bias is kept.
"""

from __future__ import annotations

import numpy as np

from ..graph import Graph, Op, Quantization, Tensor

__all__ = ["mend_biases"]

# Op code → the axis of its weights that output channels lie along.
_CHANNELS = {"CONV_2D": 0, "DEPTHWISE_CONV_2D": 3, "FULLY_CONNECTED": 0}
_LARGEST = 2**30


def mend_biases(real: Graph, quantized: Graph) -> None:
    """Give the channels whose bias does not fit a scale with which it does.

    Args:
        real: the float graph.
        quantized: what was made of it, with the same names; changed in place.
    """
    originals = {op.output.name: op for op in real.ops if op.outputs}
    for op in quantized.ops:
        original = originals.get(op.output.name) if op.outputs else None
        if original is not None and op.code in _CHANNELS and _is_per_channel(op):
            _mend(op, original, _CHANNELS[op.code])
    quantized.prune()


def _is_per_channel(op: Op) -> bool:
    """Whether it has int8 weights with a scale a channel, and an int32 bias."""
    weights, bias = op.input(1), op.inputs[2] if len(op.inputs) > 2 else None
    if bias is None or not bias.is_constant or not weights.is_constant:
        return False
    scales = weights.quantization.scale.size if weights.quantization is not None else 0
    return bias.quantization is not None and scales == bias.size > 0


def _mend(op: Op, original: Op, axis: int) -> None:
    x, weights, bias = op.input(0), op.input(1), op.input(2)
    pair = x.quantization.per_tensor if x.quantization is not None else None
    reals = original.input(2)
    if pair is None or weights.quantization is None or not reals.is_constant:
        return
    step, old = pair[0], weights.quantization.scale.astype(np.float64)
    scale = np.maximum(old, np.abs(reals.value) / (step * _LARGEST)).astype(np.float32)
    if not (scale > old * (1 + 1e-6)).any():
        return
    others = tuple(index for index in range(weights.rank) if index != axis)
    ratio = np.expand_dims(old / scale, others)
    integers = np.rint(weights.value * ratio).astype(np.int8)
    steps = step * scale.astype(np.float64)
    biases = np.rint(reals.value / steps).astype(np.int32)
    quantization = Quantization(scale, weights.quantization.zero_point, axis)
    op.set_inputs([
        x,
        _constant(weights, integers, quantization),
        _constant(bias, biases, Quantization(steps.astype(np.float32), np.zeros(steps.size, "i8"))),
        *op.inputs[3:],
    ])  # fmt: skip


def _constant(old: Tensor, integers: np.ndarray, quantization: Quantization) -> Tensor:
    """A constant beside `old`: constants are shared, and this one has scales of its own."""
    new = old.graph.tensor(old.name, old.dtype, integers.shape)
    new.data = np.frombuffer(integers.tobytes(), np.uint8)
    new.quantization = quantization
    return new
