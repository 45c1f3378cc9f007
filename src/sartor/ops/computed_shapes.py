"""Fold the shapes that a graph computes."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from ..errors import ConversionError
from ..graph import DType, Graph, Op, Tensor
from .builder import can_emit, infer_outputs
from .reference import evaluate, has_reference
from .registry import find_row

__all__ = ["constant_output", "fold_shapes"]

_INTEGERS = (DType.INT32, DType.INT64)


def fold_shapes(graph: Graph) -> None:
    """Replace computed shapes by constants, and set the shapes of tensors that follow from them.

    TensorFlow's converter computes shapes if the batch has a variable size, and writes 1 for each
    size that it does not know. An op without a shape rule keeps the shape that the file states.

    Args:
        graph: graph with inputs of known shapes; changed in place.
    """
    if not any(find_row(op).measures_shape for op in graph.ops):
        return
    values: dict[Tensor, np.ndarray] = {}
    for op in graph.ops:
        value = constant_output(op, values) if op.output.dtype in _INTEGERS else None
        if value is not None:
            values[op.output] = value
        elif can_emit(op.code):
            _set_shapes(op, values)
    for tensor, value in values.items():
        if tensor not in graph.outputs:
            graph.replace_uses(tensor, graph.constant(value, tensor.name))
    graph.prune()


def constant_output(op: Op, values: Mapping[Tensor, np.ndarray]) -> np.ndarray | None:
    """Return the output of an op on known values, or of SHAPE and RANK; None for other ops.

    Args:
        op: an op whose inputs have known shapes.
        values: values of tensors that are not constants.
    """
    if find_row(op).measures_shape:
        shape = op.input(0).shape
        value = np.asarray(shape if op.code == "SHAPE" else len(shape))
    else:
        inputs = [tensor for tensor in op.inputs if tensor is not None]
        is_constant = inputs and all(each.is_constant or each in values for each in inputs)
        if not is_constant or not has_reference(op):
            return None
        graph = Graph()
        graph.tensors, graph.ops = inputs, [op]
        feeds = {each: values[each] for each in inputs if each in values}
        value = evaluate(graph, feeds, dtype=np.float32)[op.output]
    return np.asarray(value, op.output.dtype.numpy)


def _set_shapes(op: Op, values: Mapping[Tensor, np.ndarray]) -> None:
    constants = Graph()
    inputs = [
        constants.constant(values[each]) if each is not None and each in values else each
        for each in op.inputs
    ]
    try:
        specs = infer_outputs(op.code, inputs, op.options)
    except ConversionError:  # not a form of the op that Sartor emits: the shape is that of the file
        return
    for output, (shape, _) in zip(op.outputs, specs, strict=True):
        output.shape = tuple(shape)
