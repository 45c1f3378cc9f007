"""Split a model where a quantized base ends, and join the parts after quantization.

The *boundary* consists of the DEQUANTIZE ops between the integer part and the float part.
"""

from __future__ import annotations

from collections import Counter

import numpy as np

from ..errors import ConversionError
from ..graph import DType, Graph, Op, Tensor
from ..ops import quantize

__all__ = [
    "boundary_name",
    "boundary_ops",
    "check_integer",
    "expand_weights",
    "join",
    "keep_float_part",
    "keep_integer_part",
]

_INTEGERS = (DType.INT8, DType.UINT8)


def boundary_ops(graph: Graph) -> list[Op]:
    """Return the DEQUANTIZE ops at the end of a quantized base, in execution order."""
    return [op for op in graph.ops if op.code == "DEQUANTIZE" and op.input(0).dtype in _INTEGERS]


def boundary_name(index: int) -> str:
    """Return the name of an input of the float part."""
    return f"boundary {index}"


def keep_integer_part(graph: Graph) -> None:
    """Keep the ops up to the boundary. The outputs are the dequantized values."""
    graph.outputs = [op.output for op in boundary_ops(graph)]
    _prune(graph)


def keep_float_part(graph: Graph) -> None:
    """Keep the ops after the boundary. Its float tensors become inputs."""
    boundary = boundary_ops(graph)
    tensors = [op.output for op in boundary]
    graph.remove(boundary)
    for index, tensor in enumerate(tensors):
        tensor.name = boundary_name(index)
    graph.inputs += tensors
    _prune(graph)


def join(graph: Graph, part: Graph) -> None:
    """Replace the float part of a graph by its quantized version.

    Args:
        graph: the complete graph; changed in place.
        part: the quantized float part (see `keep_float_part`). Its inputs are the boundary.

    Raises:
        ConversionError: If the float part has other inputs than the boundary.
    """
    sources = [op.input(0) for op in boundary_ops(graph)]
    if len(sources) != len(part.inputs):
        raise ConversionError(
            f"{len(sources)} of the {len(part.inputs)} tensors between the base and the rest of "
            "the model are quantized: give a base that is float or quantized throughout"
        )
    copies = {
        target: _rescale(source, target)
        for source, target in zip(sources, part.inputs, strict=True)
    }
    for op in part.ops:
        inputs = [None if each is None else _copy_tensor(graph, each, copies) for each in op.inputs]
        outputs = [_copy_tensor(graph, each, copies) for each in op.outputs]
        graph.add(
            Op(
                op.code, inputs, outputs, options=op.options, options_type=op.options_type,
                custom_code=op.custom_code, opaque=op.opaque,
            )
        )  # fmt: skip
    graph.outputs = [_copy_tensor(graph, each, copies) for each in part.outputs]
    graph.prune()


def check_integer(graph: Graph) -> None:
    """Raise ConversionError with the names of all ops that have a float output."""
    float_ops = Counter(
        op.name for op in graph.ops if any(tensor.dtype.is_float for tensor in op.outputs)
    )
    if float_ops:
        names = ", ".join(f"{name} ×{count}" for name, count in float_ops.items())
        raise ConversionError(
            f"these ops cannot be quantized to integers: {names}. Freeze without quantization, or "
            "convert the base with normalize=False (--no-normalize), another head or other features"
        )


def expand_weights(graph: Graph) -> None:
    """Replace constants that are dequantized at run time by float32 constants."""
    for op in list(graph.ops):
        if op.code == "DEQUANTIZE" and op.input(0).is_constant:
            value = _dequantize(op.input(0))
            if value is not None:
                graph.replace_uses(op.output, graph.constant(value, op.output.name))
    graph.prune()


def _prune(graph: Graph) -> None:
    """Remove unused ops, then unused inputs."""
    graph.prune()
    graph.inputs = [tensor for tensor in graph.inputs if tensor.consumers]
    graph.prune()


def _rescale(source: Tensor, target: Tensor) -> Tensor:
    """Return `source` with the quantization of `target`; insert a QUANTIZE if they differ."""
    if target.quantization is None or source.quantization is None:
        return source
    old, new = source.quantization.per_tensor, target.quantization.per_tensor
    if (
        old is not None
        and new is not None
        and (source.dtype, old[1]) == (target.dtype, new[1])
        and np.isclose(old[0], new[0], rtol=1e-5)
    ):
        return source
    return quantize(source, target.dtype, target.quantization, name=f"{source.name}_rescaled")


def _copy_tensor(graph: Graph, tensor: Tensor, copies: dict[Tensor, Tensor]) -> Tensor:
    """Return the copy of a tensor in another graph; add it to `copies` if it is new."""
    if tensor not in copies:
        copies[tensor] = new = graph.tensor(tensor.name, tensor.dtype, tensor.shape)
        new.data, new.quantization = tensor.data, tensor.quantization
    return copies[tensor]


def _dequantize(tensor: Tensor) -> np.ndarray | None:
    """Return a constant as float32, or None if its quantization scheme is not supported."""
    quantization = tensor.quantization
    if tensor.dtype.numpy is None or (quantization is not None and quantization.details):
        return None
    value = tensor.value.astype(np.float32)
    if quantization is None:
        return value
    shape = [1] * tensor.rank
    if quantization.scale.size > 1:
        shape[quantization.axis] = -1
    if quantization.zero_point.size:
        value = value - quantization.zero_point.reshape(shape).astype(np.float32)
    return np.asarray(value * quantization.scale.reshape(shape), np.float32)
