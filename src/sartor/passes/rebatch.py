"""Fix the base's batch to 1: one picture in, one row of features out."""

from __future__ import annotations

import numpy as np

from ..errors import ConversionError
from ..graph import Graph, Tensor

__all__ = ["rebatch"]


def rebatch(graph: Graph) -> None:
    """Let the first axis of each input be 1, in all that depends on it.

    A base that was exported for N rows keeps N in its shapes and in the constants of RESHAPE.

    Raises:
        ConversionError: an input has no batch axis, or another axis of free size.
    """
    for tensor in graph.inputs:
        _check(tensor)
    sizes = {tensor.shape[0] for tensor in graph.inputs} - {1}
    if len(sizes) > 1:
        raise ConversionError(f"the base's inputs differ in batch size: {sorted(sizes)}")
    if sizes:
        _shrink(graph, sizes.pop())
    for tensor in graph.tensors:
        tensor.shape_signature = None


def _check(tensor: Tensor) -> None:
    if tensor.rank == 0:
        raise ConversionError(f"the base's input {tensor!r} has no batch axis")
    signature = tensor.shape_signature or tensor.shape
    if any(size < 1 for size in signature[1:]):
        raise ConversionError(
            f"the base's input {tensor!r} has axes of free size: {list(signature)}. "
            "Export it with fixed sizes; only the batch may vary."
        )


def _shrink(graph: Graph, batch: int) -> None:
    varying = set(graph.inputs)
    for op in graph.ops:
        if not varying.intersection(op.inputs):
            continue
        varying.update(op.outputs)
        if op.code == "RESHAPE" and len(op.inputs) > 1:
            shape = op.input(1)
            if shape.is_constant and shape.size and shape.value[0] == batch:
                value = np.concatenate([[1], shape.value[1:]]).astype(np.int32)
                op.set_inputs([op.inputs[0], graph.constant(value, shape.name)])
    for tensor in varying:
        if tensor.rank and tensor.shape[0] == batch:
            tensor.shape = (1, *tensor.shape[1:])
