"""From a float graph to one in int8: weights per channel, activations by a table of ranges.

The rules are those of TFLite's 8-bit quantization: activations int8 with a zero point; the filters
of convolutions symmetric, one scale an output channel; biases int32 with the product of both.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from ...errors import ConversionError
from ...graph import DType, Graph, Op, Quantization, Tensor
from ...ops import dequantize, find_row, quantize

__all__ = ["quantize_graph"]

_PLAIN = ("ADD", "MEAN")
_LARGEST_BIAS = 2**30


def quantize_graph(
    graph: Graph, ranges: Mapping[str, tuple[float, float]], image: Quantization, last: str | None
) -> None:
    """Let a graph with one float input compute in int8, from uint8 pictures.

    Args:
        graph: changed in place; its activations have names of their own.
        ranges: name → the least and greatest value of each activation.
        image: what the pixels 0…255 stand for.
        last: the activation up to which (and including it) the graph becomes int8; None for all.

    Raises:
        ConversionError: there is no range for a tensor, or no rule for an op.
    """
    _from_pixels(graph, image)
    border = next((op for op in graph.ops if op.output.name == last), graph.ops[-1])
    inside = graph.ops[: graph.ops.index(border) + 1]
    for op in inside[1:]:
        _quantize_op(op, ranges)
    graph.prune()
    _leave(graph, inside)


def _from_pixels(graph: Graph, image: Quantization) -> None:
    """Replace the input by pixels, and bring them to int8: a shift by 128."""
    old = graph.inputs.pop()
    pixels = graph.input(old.name, old.shape, DType.UINT8)
    pixels.quantization = image
    shifted = Quantization(image.scale, image.zero_point - 128)
    graph.replace_uses(old, quantize(pixels, DType.INT8, shifted, name=f"{old.name}/int8"))
    graph.ops.insert(0, graph.ops.pop())


def _quantize_op(op: Op, ranges: Mapping[str, tuple[float, float]]) -> None:
    y = op.output
    if y.name not in ranges:
        raise ConversionError(f"no range was measured for {y!r}: measure them again")
    y.dtype, y.quantization = DType.INT8, _asymmetric(*ranges[y.name])
    layer = find_row(op).weights
    if layer is not None and layer.channel_axis is not None:
        _quantize_weights(op, layer.channel_axis)
    elif op.code not in _PLAIN:
        raise ConversionError(f"{op!r} has no rule of quantization")


def _asymmetric(low: float, high: float) -> Quantization:
    """Scale and zero point for int8, so that 0 is met exactly."""
    low, high = min(low, 0.0), max(high, 0.0)
    scale = np.float32((high - low) / 255)
    zero_point = np.clip(np.rint(-128 - low / np.float64(scale)), -128, 127)
    return Quantization(np.array([scale], np.float32), np.array([zero_point], np.int64))


def _quantize_weights(op: Op, axis: int) -> None:
    x, kernel, bias = op.input(0), op.input(1), op.input(2)
    if x.quantization is None:
        raise ConversionError(f"{op!r} takes {x!r}, which is not quantized")
    step = x.quantization.scale.astype(np.float64)
    others = tuple(index for index in range(kernel.rank) if index != axis)
    scale = np.abs(kernel.value).max(axis=others).astype(np.float64) / 127
    least = np.abs(bias.value) / (step * _LARGEST_BIAS)  # else a channel of zeros has no scale
    scale = np.maximum(np.maximum(scale, least), np.finfo(np.float32).tiny).astype(np.float32)
    spread = np.expand_dims(scale, others)
    integers = np.clip(np.rint(kernel.value / spread), -127, 127).astype(np.int8)
    steps = (step * scale).astype(np.float32)
    biases = np.rint(bias.value / (step * scale)).astype(np.int32)
    op.set_inputs([x, _constant(kernel, integers, scale, axis), _constant(bias, biases, steps, 0)])


def _constant(old: Tensor, integers: np.ndarray, scale: np.ndarray, axis: int) -> Tensor:
    """A constant beside `old`: constants are shared, and these have scales of their own."""
    new = old.graph.tensor(old.name, DType.of(integers), integers.shape)
    new.data = np.frombuffer(integers.tobytes(), np.uint8)
    new.quantization = Quantization(scale, np.zeros(scale.size, np.int64), axis)
    return new


def _leave(graph: Graph, inside: list[Op]) -> None:
    """Dequantize what the float rest takes."""
    for tensor in [op.output for op in inside]:
        users = [op for op in dict.fromkeys(tensor.consumers) if op not in inside]
        if not users:
            continue
        reals = dequantize(tensor, name=f"{tensor.name}/float")
        graph.ops.insert(len(inside), graph.ops.pop())
        for op in users:
            op.replace_input(tensor, reals)
