"""Give the inputs of a base the dtypes that every runtime can pass."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..contract.names import INPUT
from ..errors import ConversionError
from ..graph import DType, Graph, Op, Quantization, Tensor

__all__ = ["adapt_inputs", "check_inputs"]

_SIGNATURE_DTYPES = (DType.FLOAT32, DType.INT32, DType.UINT8)
_QUANTIZED_DTYPES = {DType.INT8: DType.UINT8, DType.INT16: DType.FLOAT32}
_PLAIN_DTYPES = {
    DType.INT64: DType.INT32,
    DType.INT8: DType.INT32,
    DType.INT16: DType.INT32,
    DType.BOOL: DType.INT32,
    DType.FLOAT16: DType.FLOAT32,
    DType.FLOAT64: DType.FLOAT32,
}
_TEXT_ADVICE = (
    "export the part of the model after its tokenizer, whose input is token ids (int32), and "
    "compute these in your app"
)
_UINT8_OFFSET = 128  # uint8 value − int8 value of the same real number


def adapt_inputs(graph: Graph, *, keep_names: bool = False) -> None:
    """Name the inputs, and convert those whose dtype a signature does not allow.

    Before: an input of any dtype. After: an input of float32, int32 or uint8; a QUANTIZE (for
    quantized tensors) or a CAST computes the original tensor. QUANTIZE from uint8 to int8 is an
    exact shift by 128.

    Args:
        graph: the base; changed in place.
        keep_names: keep the names of the inputs, as for a personalizable file. Otherwise a single
            input is named `input`, and several lose a suffix such as `:0`.

    Raises:
        ConversionError: If an input has a dtype that cannot be converted.
    """
    names = [tensor.name for tensor in graph.inputs]
    if not keep_names:
        names = [INPUT] if len(names) == 1 else _unique_names(names)
    for index, name in enumerate(names):
        if graph.inputs[index].dtype not in _SIGNATURE_DTYPES:
            _insert_conversion(graph, index)
        graph.inputs[index].name = name


def check_inputs(graph: Graph) -> None:
    """Raise ConversionError if no input of a graph has a dtype that can be converted."""
    errors = []
    for tensor in graph.inputs:
        try:
            if tensor.dtype not in _SIGNATURE_DTYPES:
                _signature_dtype(tensor)
        except ConversionError as error:
            errors.append(error)
    if errors and len(errors) == len(graph.inputs):
        raise errors[0]


def _unique_names(names: Sequence[str]) -> list[str]:
    """Return the names without `:0`, with a number if two are then equal."""
    stems = [name.split(":")[0] or INPUT for name in names]
    return [
        stem if stems.count(stem) == 1 else f"{stem}_{index}" for index, stem in enumerate(stems)
    ]


def _insert_conversion(graph: Graph, index: int) -> None:
    """Put a new input and a QUANTIZE or CAST before an input."""
    inner = graph.inputs[index]
    outer = graph.tensor(inner.name, _signature_dtype(inner), inner.shape)
    graph.inputs[index] = outer
    inner.name += "_inside"
    if _is_quantized(inner):
        if inner.dtype is DType.INT8:
            outer.quantization = _as_uint8(inner)
        op = Op("QUANTIZE", (outer,), (inner,), options_type="QuantizeOptions")
    else:
        op = Op("CAST", (outer,), (inner,))
    graph.ops.insert(0, op)


def _is_quantized(tensor: Tensor) -> bool:
    return tensor.dtype in _QUANTIZED_DTYPES and tensor.quantization is not None


def _signature_dtype(tensor: Tensor) -> DType:
    """Return the dtype in which the values of a tensor enter the model."""
    dtypes = _QUANTIZED_DTYPES if _is_quantized(tensor) else _PLAIN_DTYPES
    if tensor.dtype not in dtypes:
        advice = _TEXT_ADVICE if tensor.dtype is DType.STRING else "export it with a cast before it"
        raise ConversionError(
            f"the base's input {tensor!r} has a dtype that signatures do not allow: expected one "
            f"of {', '.join(dtype.name for dtype in _SIGNATURE_DTYPES)}; {advice}"
        )
    return dtypes[tensor.dtype]


def _as_uint8(tensor: Tensor) -> Quantization:
    """Return the quantization of the same real numbers in uint8."""
    quantization = tensor.quantization
    if quantization is None or quantization.per_tensor is None:
        raise ConversionError(
            f"the base's input {tensor!r} is quantized per channel: export it with one scale"
        )
    scale, zero_point = quantization.per_tensor
    return Quantization(
        np.array([scale], np.float32), np.array([zero_point + _UINT8_OFFSET], np.int64)
    )
