"""Convert the inputs and outputs of an integer model: images as pixels, outputs as bytes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..contract.manifest import InputSpec
from ..graph import DType, Graph, Op, Quantization, Tensor
from ..modalities import modality_of
from ..ops import quantize

__all__ = ["convert_io"]

_UINT8_OFFSET = 128  # uint8 value − int8 value of the same real number
_SCALE_TOLERANCE = 1e-3


def convert_io(graph: Graph, specs: Sequence[InputSpec], dtype: DType) -> None:
    """Give the inputs and the output of an integer graph the same dtype.

    An image arrives as pixels (minus 128 for int8). Other inputs, and the output, keep their
    scale. int32 inputs do not change.

    Args:
        graph: a graph that computes in integers; changed in place.
        specs: specs of its inputs before quantization.
        dtype: UINT8 or INT8.
    """
    for index, spec in enumerate(specs):
        if graph.inputs[index].dtype is not DType.INT32:
            _convert_input(graph, index, spec, dtype)
    output = graph.outputs[0]
    if output.dtype is not dtype and output.quantization is not None:
        name, output.name = output.name, f"{output.name}_inside"
        graph.outputs[0] = quantize(output, dtype, _shifted(output, dtype), name=name)
    graph.prune()


def _convert_input(graph: Graph, index: int, spec: InputSpec, dtype: DType) -> None:
    inner = _remove_quantize(graph, index)
    quantization = _pixel_quantization(spec, dtype)
    if quantization is None or _is_close(quantization, _shifted(inner, dtype)):
        quantization = _shifted(inner, dtype)
    if inner.dtype is dtype and _is_close(quantization, inner.quantization):
        outer = inner
    else:
        outer = graph.tensor(spec.name, dtype, inner.shape)
        outer.quantization = quantization
        inner.name = f"{spec.name}_inside"
        graph.ops.insert(0, Op("QUANTIZE", (outer,), (inner,), options_type="QuantizeOptions"))
    graph.inputs[index] = outer
    outer.name = spec.name


def _remove_quantize(graph: Graph, index: int) -> Tensor:
    """Return the input, or the output of the QUANTIZE that is its only consumer."""
    tensor = graph.inputs[index]
    consumers = tensor.consumers
    if len(consumers) == 1 and consumers[0].code == "QUANTIZE":
        quantized = consumers[0].output
        graph.remove(consumers)
        return quantized
    return tensor


def _pixel_quantization(spec: InputSpec, dtype: DType) -> Quantization | None:
    """Return the quantization for which bytes are pixels; None if there is none."""
    if modality_of(spec).per_tensor_range(spec) is None:
        return None
    offset = _UINT8_OFFSET if dtype is DType.INT8 else 0
    return _per_tensor(1 / spec.std[0], round(spec.mean[0]) - offset)


def _shifted(tensor: Tensor, dtype: DType) -> Quantization:
    """Return the quantization of the same real numbers in another byte dtype."""
    per_tensor = tensor.quantization.per_tensor if tensor.quantization is not None else None
    scale, zero_point = per_tensor if per_tensor is not None else (1.0, 0)
    if tensor.dtype is not dtype:
        zero_point += _UINT8_OFFSET if dtype is DType.UINT8 else -_UINT8_OFFSET
    return _per_tensor(scale, zero_point)


def _per_tensor(scale: float, zero_point: int) -> Quantization:
    return Quantization(np.array([scale], np.float32), np.array([zero_point], np.int64))


def _is_close(first: Quantization, second: Quantization | None) -> bool:
    """Return whether the same real number differs by at most one byte."""
    one, other = first.per_tensor, second.per_tensor if second is not None else None
    if one is None or other is None:
        return False
    return bool(np.isclose(one[0], other[0], rtol=_SCALE_TOLERANCE)) and abs(one[1] - other[1]) <= 1
