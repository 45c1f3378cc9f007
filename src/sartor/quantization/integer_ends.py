"""Give a model of integers the inputs and outputs that its callers have: pixels, and bytes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from ..contract.manifest import InputSpec
from ..graph import DType, Graph, Op, Quantization, Tensor
from ..ops import quantize

__all__ = ["close_ends", "pixel_range", "take_pixels"]

_SHIFT = 128  # between a uint8 and the int8 that stands for the same
_CLOSE = 1e-3


def pixel_range(spec: InputSpec) -> tuple[float, float] | None:
    """What the darkest and the brightest pixel are as reals; None where channels differ."""
    if spec.kind != "image" or spec.dtype != "float32":
        return None
    mean, std = set(spec.mean), set(spec.std)
    if len(mean) != 1 or len(std) != 1 or not 0 <= min(mean) <= 255:
        return None
    return -min(mean) / min(std), (255 - min(mean)) / min(std)


def take_pixels(graph: Graph, specs: Sequence[InputSpec]) -> list[InputSpec]:
    """Let pictures that are scaled a channel arrive as pixels 0…255, which one byte can hold.

    A depthwise layer of 1 x 1 scales them: weights a channel are exact as int8.

    Args:
        graph: takes float32; changed.
        specs: its inputs.

    Returns:
        What the inputs are now.
    """
    return [
        _scaled_inside(graph, index, spec)
        if spec.kind == "image" and spec.dtype == "float32" and pixel_range(spec) is None
        else spec
        for index, spec in enumerate(specs)
    ]


def close_ends(graph: Graph, specs: Sequence[InputSpec], dtype: DType) -> None:
    """Let integers cross the ends of a graph that computes in them.

    A picture arrives as its pixels, less 128 for int8. Other inputs, and the output, keep their
    scale; int32 stays as it is.

    Args:
        graph: changed.
        specs: its inputs, as pictures were described to it.
        dtype: UINT8 or INT8.
    """
    for index, spec in enumerate(specs):
        if graph.inputs[index].dtype is not DType.INT32:
            _close_input(graph, index, spec, dtype)
    output = graph.outputs[0]
    if output.dtype is not dtype and output.quantization is not None:
        name, output.name = output.name, f"{output.name}_inside"
        graph.outputs[0] = quantize(output, dtype, _as(dtype, output), name=name)
    graph.prune()


def _scaled_inside(graph: Graph, index: int, spec: InputSpec) -> InputSpec:
    """`x / std − mean / std` as the first op."""
    old, channels = graph.inputs[index], spec.shape[-1]
    outer = graph.tensor(old.name, old.dtype, old.shape)
    old.name = f"{old.name}_scaled"
    std = np.broadcast_to(np.array(spec.std, np.float32), (channels,))
    mean = np.broadcast_to(np.array(spec.mean, np.float32), (channels,))
    weights = graph.constant((1 / std).reshape(1, 1, 1, channels), "pixel_scale")
    bias = graph.constant(-mean / std, "pixel_offset")
    options = {
        "padding": 1, "strideW": 1, "strideH": 1, "depthMultiplier": 1,
        "dilationWFactor": 1, "dilationHFactor": 1, "fusedActivationFunction": 0,
    }  # fmt: skip
    inputs = (outer, weights, bias)
    op = Op(
        "DEPTHWISE_CONV_2D", inputs, (old,), options=options, options_type="DepthwiseConv2DOptions"
    )
    graph.ops.insert(0, op)
    graph.inputs[index] = outer
    return replace(spec, mean=(0.0,), std=(1.0,))


def _close_input(graph: Graph, index: int, spec: InputSpec, dtype: DType) -> None:
    inner, name = _bare(graph, index), spec.name
    outside = _pixels(spec, dtype)
    if outside is None or _is_close(outside, _as(dtype, inner)):
        outside = _as(dtype, inner)
    if inner.dtype is dtype and _is_close(outside, inner.quantization):
        graph.inputs[index] = inner
    else:
        outer = graph.tensor(name, dtype, inner.shape)
        outer.quantization = outside
        inner.name = f"{name}_inside"
        graph.ops.insert(0, Op("QUANTIZE", (outer,), (inner,), options_type="QuantizeOptions"))
        graph.inputs[index] = outer
    graph.inputs[index].name = name


def _bare(graph: Graph, index: int) -> Tensor:
    """The input, or the integers that a QUANTIZE and nothing else makes of it."""
    tensor = graph.inputs[index]
    uses = tensor.consumers
    if len(uses) == 1 and uses[0].code == "QUANTIZE":
        inner = uses[0].output
        graph.remove(uses)
        return inner
    return tensor


def _pixels(spec: InputSpec, dtype: DType) -> Quantization | None:
    """How a picture's bytes stand for what the base takes; None where its own integers do."""
    if pixel_range(spec) is None:
        return None
    zero_point = round(spec.mean[0]) - _SHIFT * (dtype is DType.INT8)
    return _quantization(1 / spec.std[0], zero_point)


def _as(dtype: DType, tensor: Tensor) -> Quantization:
    """The quantization of the same reals in the other type of bytes."""
    pair = tensor.quantization.per_tensor if tensor.quantization is not None else None
    scale, zero_point = pair if pair is not None else (1.0, 0)
    shift = 0 if tensor.dtype is dtype else _SHIFT if dtype is DType.UINT8 else -_SHIFT
    return _quantization(scale, zero_point + shift)


def _quantization(scale: float, zero_point: int) -> Quantization:
    return Quantization(np.array([scale], np.float32), np.array([zero_point], np.int64))


def _is_close(one: Quantization, other: Quantization | None) -> bool:
    """Whether no byte differs by more than one."""
    pair, beside = one.per_tensor, other.per_tensor if other is not None else None
    if pair is None or beside is None:
        return False
    return bool(np.isclose(pair[0], beside[0], rtol=_CLOSE)) and abs(pair[1] - beside[1]) <= 1
