"""Quantize a float graph to int8 with a table of activation ranges.

The scheme is TFLite's 8-bit quantization: int8 activations with a zero point, symmetric int8
weights with one scale per output channel, and int32 biases whose scale is the product of both.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from ...errors import ConversionError
from ...graph import DType, Graph, Op, Quantization, Tensor
from ...ops import dequantize, find_row, quantize

__all__ = ["quantize_graph"]

_PLAIN = ("ADD", "MEAN")
_MAX_BIAS_STEPS = 2**30


def quantize_graph(
    graph: Graph, ranges: Mapping[str, tuple[float, float]], image: Quantization, last: str | None
) -> None:
    """Quantize a graph with one image input to int8, with uint8 pixels as input.

    Args:
        graph: the float graph; changed in place. Its activations have unique names.
        ranges: name → smallest and largest value of each activation.
        image: quantization of the pixels 0…255.
        last: name of the last activation to quantize; None for all.

    Raises:
        ConversionError: If a tensor has no range, or an op is not supported.
    """
    _insert_pixel_input(graph, image)
    last_op = next((op for op in graph.ops if op.output.name == last), graph.ops[-1])
    inside = graph.ops[: graph.ops.index(last_op) + 1]
    for op in inside[1:]:
        _quantize_op(op, ranges)
    graph.prune()
    _dequantize_outputs(graph, inside)


def _insert_pixel_input(graph: Graph, image: Quantization) -> None:
    """Replace the float input by uint8 pixels, converted to int8 (minus 128)."""
    old = graph.inputs.pop()
    pixels = graph.input(old.name, old.shape, DType.UINT8)
    pixels.quantization = image
    shifted = Quantization(image.scale, image.zero_point - 128)
    graph.replace_uses(old, quantize(pixels, DType.INT8, shifted, name=f"{old.name}/int8"))
    graph.ops.insert(0, graph.ops.pop())


def _quantize_op(op: Op, ranges: Mapping[str, tuple[float, float]]) -> None:
    y = op.output
    if y.name not in ranges:
        raise ConversionError(f"{y!r} has no range: run tools/calibrate_starter.py again")
    y.dtype, y.quantization = DType.INT8, _asymmetric(*ranges[y.name])
    layer = find_row(op).weights
    if layer is not None and layer.channel_axis is not None:
        _quantize_weights(op, layer.channel_axis)
    elif op.code not in _PLAIN:
        raise ConversionError(f"{op!r} cannot be quantized")


def _asymmetric(low: float, high: float) -> Quantization:
    """Return the int8 quantization of a range, with an exact 0."""
    low, high = min(low, 0.0), max(high, 0.0)
    scale = np.float32((high - low) / 255)
    zero_point = np.clip(np.rint(-128 - low / np.float64(scale)), -128, 127)
    return Quantization(np.array([scale], np.float32), np.array([zero_point], np.int64))


def _quantize_weights(op: Op, axis: int) -> None:
    x, kernel, bias = op.input(0), op.input(1), op.input(2)
    if x.quantization is None:
        raise ConversionError(f"the input {x!r} of {op!r} is not quantized")
    step = x.quantization.scale.astype(np.float64)
    other_axes = tuple(index for index in range(kernel.rank) if index != axis)
    scale = np.abs(kernel.value).max(axis=other_axes).astype(np.float64) / 127
    min_scale = np.abs(bias.value) / (step * _MAX_BIAS_STEPS)  # for channels of zeros
    scale = np.maximum(np.maximum(scale, min_scale), np.finfo(np.float32).tiny).astype(np.float32)
    spread = np.expand_dims(scale, other_axes)
    integers = np.clip(np.rint(kernel.value / spread), -127, 127).astype(np.int8)
    steps = (step * scale).astype(np.float32)
    biases = np.rint(bias.value / (step * scale)).astype(np.int32)
    op.set_inputs([x, _constant(kernel, integers, scale, axis), _constant(bias, biases, steps, 0)])


def _constant(old: Tensor, integers: np.ndarray, scale: np.ndarray, axis: int) -> Tensor:
    """Add a constant with its own scales; other ops may share `old`."""
    new = old.graph.tensor(old.name, DType.of(integers), integers.shape)
    new.data = np.frombuffer(integers.tobytes(), np.uint8)
    new.quantization = Quantization(scale, np.zeros(scale.size, np.int64), axis)
    return new


def _dequantize_outputs(graph: Graph, inside: list[Op]) -> None:
    """Insert a DEQUANTIZE between the int8 part and the float part."""
    for tensor in [op.output for op in inside]:
        users = [op for op in dict.fromkeys(tensor.consumers) if op not in inside]
        if not users:
            continue
        floats = dequantize(tensor, name=f"{tensor.name}/float")
        graph.ops.insert(len(inside), graph.ops.pop())
        for op in users:
            op.replace_input(tensor, floats)
