"""What a model must keep so that LiteRT neither refuses it nor crashes.

The same checks run after reading, against hostile files, and before writing, against mistakes of
our own.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import numpy as np

from ..errors import InvalidModelError
from ..graph import DType, Graph, Model, Op, Signature, Tensor
from .operands import find_operand_error
from .options import called_graphs
from .sparsity import stored_values
from .variables import check_variables

__all__ = ["check_model"]

_MOST_ELEMENTS = 2**31 - 1  # kernels count in 32 bits
_MOST_CALLS = 64  # nested; LiteRT enters each on the stack
_CORRECT = "Download the model again, or correct what made it."


def check_model(model: Model) -> None:
    """Check a model that is to be used or written.

    Raises:
        InvalidModelError: it contradicts itself, or would crash LiteRT.
    """
    if not model.graphs:
        raise InvalidModelError(f"the model has no subgraph, expected at least one. {_CORRECT}")
    for index, graph in enumerate(model.graphs):
        where = f"subgraph {index} {graph.name!r}"
        for tensor in graph.tensors:
            _check_tensor(tensor, where)
        _check_ends(graph, where)
        _check_order(graph, where)
    check_variables(model)
    _check_calls(model)
    _check_signatures(model)


def _check_tensor(tensor: Tensor, where: str) -> None:
    what = f"{where}, tensor {tensor.name!r}"
    elements = math.prod(tensor.shape)
    if any(size < 0 for size in tensor.shape) or elements > _MOST_ELEMENTS:
        raise InvalidModelError(
            f"{what} has shape {list(tensor.shape)}, expected sizes from 0 on and at most "
            f"{_MOST_ELEMENTS} elements. {_CORRECT}"
        )
    signature = tensor.shape_signature
    if signature and len(signature) != tensor.rank:
        raise InvalidModelError(
            f"{what} has shape {list(tensor.shape)} and shape signature {list(signature)}, "
            f"expected as many sizes. {_CORRECT}"
        )
    if tensor.data is not None:
        _check_constant(tensor, tensor.data, elements, what)
    if tensor.quantization is not None:
        _check_quantization(tensor, what)


def _check_constant(tensor: Tensor, data: np.ndarray, elements: int, what: str) -> None:
    if tensor.is_variable:
        raise InvalidModelError(f"{what} is a variable with data, expected one. {_CORRECT}")
    bits = tensor.dtype.bits
    if tensor.dtype is DType.STRING:
        _check_strings(data, elements, what)
    if bits is None:
        return
    if tensor.sparsity is not None:
        elements = stored_values(tensor, what)
    expected = (elements * bits + 7) // 8
    if data.nbytes != expected:
        raise InvalidModelError(
            f"{what} is a constant of {data.nbytes} bytes, expected {expected} for "
            f"{elements} elements of {tensor.dtype.name}. {_CORRECT}"
        )


def _check_strings(data: np.ndarray, elements: int, what: str) -> None:
    """Check the table that starts a string constant: the count, and an offset more than that."""
    if not data.size and not elements:
        return
    header = data[: 4 * (elements + 2)]
    numbers = header[: header.size // 4 * 4].view("<i4").astype(np.int64)
    if (
        numbers.size != elements + 2
        or numbers[0] != elements
        or numbers[1] != header.size
        or numbers[-1] > data.size
        or bool(np.any(np.diff(numbers[1:]) < 0))
    ):
        raise InvalidModelError(
            f"{what} is a constant whose table does not describe {elements} strings in "
            f"{data.size} bytes. {_CORRECT}"
        )


def _check_quantization(tensor: Tensor, what: str) -> None:
    quantization = tensor.quantization
    if quantization is None or not quantization.scale.size:
        return
    scale, count = quantization.scale, quantization.scale.size
    if not bool(np.all(np.isfinite(scale) & (scale >= 0))):
        raise InvalidModelError(
            f"{what} has a scale that is negative, infinite or not a number, expected positive "
            f"ones. {_CORRECT}"
        )
    if quantization.zero_point.size != count:
        raise InvalidModelError(
            f"{what} has {count} scales and {quantization.zero_point.size} zero points, expected "
            f"as many. {_CORRECT}"
        )
    _check_zero_points(tensor, quantization.zero_point, what)
    axis = quantization.axis
    if axis < 0 or (tensor.rank and axis >= tensor.rank):
        raise InvalidModelError(
            f"{what} is quantized along axis {axis}, expected one of its {tensor.rank}. {_CORRECT}"
        )
    if count > 1 and tensor.rank and count != tensor.shape[axis]:
        raise InvalidModelError(
            f"{what} has {count} scales along axis {axis} of shape {list(tensor.shape)}, expected "
            f"one, or {tensor.shape[axis]}. {_CORRECT}"
        )


def _check_zero_points(tensor: Tensor, zero_points: np.ndarray, what: str) -> None:
    """Check that they are values of the tensor's type: XNNPACK takes them for that."""
    kind: np.dtype[Any] = np.dtype(tensor.dtype.numpy or np.float32)
    if kind.kind not in "iu":
        return
    limits = np.iinfo(kind)
    if bool(np.any((zero_points < limits.min) | (zero_points > limits.max))):
        raise InvalidModelError(
            f"{what} has a zero point beyond the values of {tensor.dtype.name}, expected "
            f"{limits.min}…{limits.max}. {_CORRECT}"
        )


def _check_ends(graph: Graph, where: str) -> None:
    """Check that inputs can be written."""
    for tensor in graph.inputs:
        if tensor.data is not None or tensor.producer is not None:
            kind = "a constant" if tensor.data is not None else f"made by {tensor.producer!r}"
            raise InvalidModelError(
                f"{where}, input {tensor.name!r} is {kind}, expected the caller to fill it. "
                f"{_CORRECT}"
            )


def _check_order(graph: Graph, where: str) -> None:
    """Check that each tensor has a value when it is read."""
    ready = {tensor for tensor in graph.tensors if tensor.data is not None or tensor.is_variable}
    ready.update(graph.inputs)
    for index, op in enumerate(graph.ops):
        what = f"{where}, op {index} {op.name}"
        problem = find_operand_error(op)
        if problem is not None:
            raise InvalidModelError(f"{what} {problem}. {_CORRECT}")
        for slot, tensor in enumerate(op.inputs):
            if tensor is None or tensor in ready or _only_its_shape(op, slot, tensor):
                continue
            raise InvalidModelError(
                f"{what} reads {tensor!r} before anything makes it; expected an input, a "
                f"constant, or an op before this one. {_CORRECT}"
            )
        for tensor in op.outputs:
            if tensor in ready:
                raise InvalidModelError(
                    f"{what} makes {tensor!r}, which is a constant or variable; expected a tensor "
                    f"that has no value yet. {_CORRECT}"
                )
        ready.update(op.outputs)
    for tensor in graph.outputs:
        if tensor not in ready:
            raise InvalidModelError(
                f"{where}, output {tensor.name!r} is made by nothing; expected an op to make it. "
                f"{_CORRECT}"
            )


def _only_its_shape(op: Op, slot: int, tensor: Tensor) -> bool:
    """True for the shape of an old RESHAPE, which has no value: LiteRT takes its own shape."""
    return op.code == "RESHAPE" and slot == 1 and tensor.rank != 1 and tensor.producer is None


def _check_calls(model: Model) -> None:
    """Check that graphs run others of the model, and do not run themselves through them."""
    graphs = {graph: index for index, graph in enumerate(model.graphs)}
    calls = {
        graph: [called for op in graph.ops for called in called_graphs(op)]
        for graph in model.graphs
    }
    depth: dict[Graph, int] = {}
    for start in model.graphs:
        path: list[tuple[Graph, Iterable[Graph]]] = [(start, iter(calls[start]))]
        active = {start}
        while path:
            graph, rest = path[-1]
            called = next(iter(rest), None)
            if called is None:
                path.pop()
                active.discard(graph)
                depth[graph] = 1 + max((depth[each] for each in calls[graph]), default=0)
                _check_depth(depth[graph], graphs[graph])
                continue
            if called not in graphs:
                raise InvalidModelError(f"{called!r} is run, but is not of the model. {_CORRECT}")
            if called in active:
                raise InvalidModelError(
                    f"subgraph {graphs[called]} {called.name!r} runs itself, through subgraph "
                    f"{graphs[graph]}; expected calls without a cycle. {_CORRECT}"
                )
            if called not in depth:
                path.append((called, iter(calls[called])))
                active.add(called)


def _check_depth(depth: int, index: int) -> None:
    if depth > _MOST_CALLS:
        raise InvalidModelError(
            f"subgraph {index} nests {depth} calls, expected at most {_MOST_CALLS}. {_CORRECT}"
        )


def _check_signatures(model: Model) -> None:
    keys: set[str] = set()
    for signature in model.signatures:
        what = f"signature {signature.key!r}"
        if signature.key in keys:
            raise InvalidModelError(f"{what} is there twice, expected keys to differ. {_CORRECT}")
        keys.add(signature.key)
        if signature.graph not in model.graphs:
            raise InvalidModelError(f"{what} runs a graph that is not of the model. {_CORRECT}")
        _check_names(signature, what)


def _check_names(signature: Signature, what: str) -> None:
    """Check that a signature names inputs and outputs of its graph."""
    graph = signature.graph
    for side, ends, there in (
        ("input", signature.inputs, set(graph.inputs)),
        ("output", signature.outputs, set(graph.outputs)),
    ):
        for name, tensor in ends.items():
            if tensor not in there:
                raise InvalidModelError(
                    f"{what} names {tensor!r} as its {side} {name!r}, but it is no {side} of the "
                    f"subgraph. {_CORRECT}"
                )
