"""Set the batch size of a base to 1."""

from __future__ import annotations

import numpy as np

from ..errors import ConversionError, FeatureError
from ..graph import Graph, Op, Tensor
from ..ops import find_row

__all__ = ["rebatch"]


def rebatch(graph: Graph) -> None:
    """Set the first axis of each input, and of all that depends on it, to 1.

    Before: shapes [N, …], with N also in the constants of RESHAPE and of other ops that take a
    shape. After: shapes [1, …].

    Raises:
        ConversionError: If an input has no batch axis or another axis of variable size, or the
            inputs differ in batch size.
        FeatureError: If an op mixes the batch with other axes.
    """
    for tensor in graph.inputs:
        _check_shape(tensor)
    sizes = {tensor.shape[0] for tensor in graph.inputs} - {1}
    if len(sizes) > 1:
        raise ConversionError(f"the base's inputs differ in batch size: {sorted(sizes)}")
    if sizes:
        _shrink(graph, sizes.pop())
    for tensor in graph.tensors:
        tensor.shape_signature = None


def _check_shape(tensor: Tensor) -> None:
    if tensor.rank == 0:
        raise ConversionError(f"the base's input {tensor!r} has no batch axis")
    signature = tensor.shape_signature or tensor.shape
    if any(size < 1 for size in signature[1:]):
        raise ConversionError(
            f"the base's input {tensor!r} has axes of variable size: {list(signature)}. "
            "State the shape of one sample: --input-shape 224,224,3, in Python "
            "sartor.bases.TFLite(path, input_shape=(224, 224, 3))"
        )


def _shrink(graph: Graph, batch: int) -> None:
    batched = set(graph.inputs)
    for op in graph.ops:
        if batched.intersection(op.inputs):
            batched.update(op.outputs)
            _shrink_sizes(op, batch)
    for tensor in batched:
        if tensor.rank and tensor.shape[0] == batch:
            tensor.shape = (1, *tensor.shape[1:])
    for op in graph.ops:
        if op.code == "RESHAPE" and op.output in batched and op.input(0).size != op.output.size:
            raise FeatureError(
                f"{op!r} mixes the batch of {batch} with other axes, so it cannot be made 1. "
                "Export the base with a batch of 1"
            )


def _shrink_sizes(op: Op, batch: int) -> None:
    """Replace the batch by 1 in the shape that an op takes as option or constant."""
    new_shape = op.options.get("newShape")
    if new_shape is not None and np.size(new_shape) and new_shape[0] == batch:
        op.options["newShape"] = _with_batch_one(new_shape)
    index = find_row(op).shape_input
    sizes = op.inputs[index] if index is not None and index < len(op.inputs) else None
    if sizes is not None and sizes.is_constant and sizes.size and sizes.value.flat[0] == batch:
        constant = op.output.graph.constant(_with_batch_one(sizes.value), sizes.name)
        op.set_inputs([constant if i == index else tensor for i, tensor in enumerate(op.inputs)])


def _with_batch_one(sizes: np.ndarray) -> np.ndarray:
    return np.array([1, *sizes[1:]], np.asarray(sizes).dtype)
