"""Give the base's ends the types that every runtime can carry: float32, int32 and uint8."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..contract.manifest import FeatureSpec
from ..contract.names import FEATURES, INPUT
from ..contract.signatures import numbered
from ..errors import ConversionError
from ..graph import DType, Graph, Op, Quantization, Tensor
from ..ops import dequantize, flatten, reshape

__all__ = ["open_features", "open_inputs"]

_CARRIED = (DType.FLOAT32, DType.INT32, DType.UINT8)
_INTEGERS = (DType.INT32, DType.INT64)


def open_inputs(graph: Graph, *, named: bool = False) -> None:
    """Name the inputs, and let an int8 input arrive as uint8 and an int64 one as int32.

    Between int8 and uint8 lies a shift by 128, which QUANTIZE does exactly.

    Args:
        graph: the base.
        named: the inputs keep their names, as those of a personalizable file do; else `input` if
            there is one, or what it is called without `:0`.

    Raises:
        ConversionError: an input has a type that cannot be brought in.
    """
    own = [tensor.name for tensor in graph.inputs]
    names = own if named else [INPUT] if len(own) == 1 else _unique(own)
    for index, (tensor, name) in enumerate(zip(list(graph.inputs), names, strict=True)):
        if tensor.dtype not in _CARRIED:
            tensor = _convert(graph, index, tensor)
        tensor.name = name


def open_features(graph: Graph, *, flat: bool) -> list[FeatureSpec]:
    """Let the features leave as float32, dequantized and (if the head wants rows) flattened.

    Args:
        graph: the base; its outputs are the features, and are replaced.
        flat: bring them to [1, F].

    Returns:
        What each is, and how it was quantized.
    """
    specs = []
    for index, tensor in enumerate(graph.outputs):
        name = numbered(FEATURES, index)
        scale, zero_point = _per_tensor(tensor)
        feature = tensor if tensor.dtype is DType.FLOAT32 else dequantize(tensor)
        feature = flatten(feature) if flat else feature
        if feature.rank < 2 or feature.shape[0] != 1:
            raise ConversionError(f"{tensor!r} has no batch axis of 1, so it cannot be a feature")
        if feature in graph.inputs or _sized_at_run_time(feature):
            feature = reshape(feature, feature.shape)  # else some runtimes read garbage
        feature.name = name
        graph.outputs[index] = feature
        specs.append(
            FeatureSpec(name, feature.shape[1:], _stored(tensor, scale), scale, zero_point)
        )
    return specs


def _sized_at_run_time(tensor: Tensor) -> bool:
    """Whether its size follows from values that are computed, as in RESHAPE to a computed shape."""
    operands = tensor.producer.inputs[1:] if tensor.producer is not None else ()
    return any(
        operand is not None and not operand.is_constant and operand.dtype in _INTEGERS
        for operand in operands
    )


def _unique(names: Sequence[str]) -> list[str]:
    plain = [name.split(":")[0] or INPUT for name in names]
    return [n if plain.count(n) == 1 else f"{n}_{i}" for i, n in enumerate(plain)]


def _convert(graph: Graph, index: int, inner: Tensor) -> Tensor:
    """Put a new input of a carried type before `inner`."""
    graph.inputs[index] = outer = graph.tensor(inner.name, _carrier(inner), inner.shape)
    inner.name += "_inside"
    if inner.dtype is DType.INT8 and inner.quantization is not None:
        outer.quantization = _shifted(inner)
        op = Op("QUANTIZE", (outer,), (inner,), options_type="QuantizeOptions")
    elif inner.dtype is DType.INT16 and inner.quantization is not None:
        op = Op("QUANTIZE", (outer,), (inner,), options_type="QuantizeOptions")
    else:
        op = Op("CAST", (outer,), (inner,))
    graph.ops.insert(0, op)
    return outer


def _carrier(inner: Tensor) -> DType:
    if inner.dtype is DType.INT8 and inner.quantization is not None:
        return DType.UINT8
    if inner.dtype is DType.INT16 and inner.quantization is not None:
        return DType.FLOAT32
    if inner.dtype in (DType.INT64, DType.INT8, DType.INT16, DType.BOOL):
        return DType.INT32
    if inner.dtype in (DType.FLOAT16, DType.FLOAT64):
        return DType.FLOAT32
    raise ConversionError(
        f"the base's input {inner!r} is of a type that cannot cross a signature in every runtime "
        f"({', '.join(dtype.name for dtype in _CARRIED)} can)"
    )


def _shifted(inner: Tensor) -> Quantization:
    quantization = inner.quantization
    if quantization is None or quantization.per_tensor is None:
        raise ConversionError(f"the base's input {inner!r} is quantized per channel: give uint8")
    scale, zero_point = quantization.per_tensor
    return Quantization(np.array([scale], np.float32), np.array([zero_point + 128], np.int64))


def _per_tensor(tensor: Tensor) -> tuple[float | None, int | None]:
    pair = tensor.quantization.per_tensor if tensor.quantization is not None else None
    return pair if pair is not None and not tensor.dtype.is_float else (None, None)


def _stored(tensor: Tensor, scale: float | None) -> str:
    return "float32" if scale is None else tensor.dtype.name.lower()
