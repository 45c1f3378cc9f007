"""Where a model computes in integers and where in reals, and how the second becomes the first."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np

from ..errors import ConversionError
from ..graph import DType, Graph, Op, Tensor
from ..ops import quantize

__all__ = [
    "check_integer",
    "crossings",
    "graft",
    "keep_integers",
    "keep_reals",
    "unpack_weights",
]

_INTEGERS = (DType.INT8, DType.UINT8)


def crossings(graph: Graph) -> list[Op]:
    """The DEQUANTIZEs that a quantized base ends in, in the order that they run."""
    return [op for op in graph.ops if op.code == "DEQUANTIZE" and op.input(0).dtype in _INTEGERS]


def keep_integers(graph: Graph) -> None:
    """Keep of a graph what makes the crossings: the reals that they yield are its outputs."""
    graph.outputs = [op.output for op in crossings(graph)]
    _prune(graph)


def keep_reals(graph: Graph) -> None:
    """Keep of a graph what comes behind the crossings, in their place inputs of their order."""
    made = crossings(graph)
    reals = [op.output for op in made]
    graph.remove(made)
    for number, tensor in enumerate(reals):
        tensor.name = f"crossing {number}"
    graph.inputs += reals
    _prune(graph)


def graft(graph: Graph, part: Graph) -> None:
    """Let integers go on where a graph's crossings were.

    Args:
        graph: computes in integers up to the crossings.
        part: what `keep_reals` kept, quantized; its inputs are the crossings.

    Raises:
        ConversionError: what is behind the crossings takes more than they give.
    """
    ends = [op.input(0) for op in crossings(graph)]
    if len(ends) != len(part.inputs):
        raise ConversionError(
            f"the base is quantized in {len(ends)} of the {len(part.inputs)} tensors that the rest "
            "of the model takes: give a base that is float throughout, or quantized throughout"
        )
    twins = {new: _joined(end, new) for end, new in zip(ends, part.inputs, strict=True)}
    for op in part.ops:
        inputs = [None if each is None else _twin(graph, each, twins) for each in op.inputs]
        outputs = [_twin(graph, each, twins) for each in op.outputs]
        graph.add(
            Op(
                op.code, inputs, outputs, options=op.options, options_type=op.options_type,
                custom_code=op.custom_code, opaque=op.opaque,
            )
        )  # fmt: skip
    graph.outputs = [_twin(graph, each, twins) for each in part.outputs]
    graph.prune()


def check_integer(graph: Graph) -> None:
    """Refuse a graph in which something is still computed in reals.

    Raises:
        ConversionError: it names the ops.
    """
    real = Counter(op.name for op in graph.ops if _makes_reals(op.outputs))
    if real:
        names = ", ".join(f"{name} ×{count}" for name, count in real.items())
        raise ConversionError(
            f"these ops cannot be made integer, and stay float: {names}. Freeze without "
            "quantization, or convert the base with another head or other features"
        )


def unpack_weights(graph: Graph) -> None:
    """Constants in place of those that a DEQUANTIZE makes of smaller ones at run time."""
    for op in list(graph.ops):
        if op.code == "DEQUANTIZE" and op.input(0).is_constant:
            value = _real_value(op.input(0))
            if value is not None:
                graph.replace_uses(op.output, graph.constant(value, op.output.name))
    graph.prune()


def _prune(graph: Graph) -> None:
    """Drop dead ops, then the inputs that only they used."""
    graph.prune()
    graph.inputs = [tensor for tensor in graph.inputs if tensor.consumers]
    graph.prune()


def _makes_reals(outputs: Sequence[Tensor]) -> bool:
    return any(tensor.dtype.is_float for tensor in outputs)


def _joined(source: Tensor, new: Tensor) -> Tensor:
    """What a quantized part takes: the integers before a crossing, on the part's scale."""
    if new.quantization is None or source.quantization is None:
        return source
    mine, theirs = source.quantization.per_tensor, new.quantization.per_tensor
    same = mine and theirs and (source.dtype, mine[1]) == (new.dtype, theirs[1])
    if same and mine and theirs and np.isclose(mine[0], theirs[0], rtol=1e-5):
        return source
    return quantize(source, new.dtype, new.quantization, name=f"{source.name}_rescaled")


def _twin(graph: Graph, tensor: Tensor, twins: dict[Tensor, Tensor]) -> Tensor:
    """The same tensor in another graph."""
    if tensor not in twins:
        twins[tensor] = new = graph.tensor(tensor.name, tensor.dtype, tensor.shape)
        new.data, new.quantization = tensor.data, tensor.quantization
    return twins[tensor]


def _real_value(tensor: Tensor) -> np.ndarray | None:
    """A constant as float32; None where its scheme is not known here."""
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
