"""Give the inputs and outputs of a base a batch of 1."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from ..errors import ConversionError, FeatureError
from ..graph import Graph, Op, Tensor
from ..ops import find_row, fold_shapes, reshape

__all__ = ["has_batch_of_one", "rebatch"]


def has_batch_of_one(graph: Graph) -> bool:
    """Return whether the first axis of each input is 1, so that `rebatch` changes no shape."""
    return all(tensor.shape[:1] == (1,) for tensor in graph.inputs)


def rebatch(graph: Graph) -> None:
    """Set the batch to 1, or add a batch axis to a base that has none.

    The first axis is a batch of N if it is N in all outputs, and in all inputs of rank 2 or more.
    Before: inputs and outputs [N, …], with N also in the constants of RESHAPE and of other ops that
    take a shape. After: [1, …].

    If all inputs have rank 1, or the first axis of all outputs is 1, the base takes one sample
    without a batch axis, such as a waveform [1600] or an image [height, width, 3]. After: inputs
    and outputs [1, …]; a RESHAPE removes the axis of an input, or adds that of an output.

    Shapes that the graph computes become constants.

    Raises:
        ConversionError: If an input is a scalar, or has another axis of variable size.
        FeatureError: If the first axes differ, or an op mixes the batch with other axes.
    """
    for tensor in graph.inputs:
        _check_shape(tensor, has_batch=any(each.rank > 1 for each in graph.inputs))
    if not has_batch_of_one(graph):
        batch = _batch_size(graph)
        if batch > 1:
            _shrink(graph, batch)
        _add_axes(graph)
    for tensor in graph.tensors:
        tensor.shape_signature = None
    fold_shapes(graph)


def _check_shape(tensor: Tensor, *, has_batch: bool) -> None:
    if tensor.rank == 0:
        raise ConversionError(f"the base's input {tensor!r} has no batch axis")
    signature = tensor.shape_signature or tensor.shape
    if any(size < 1 for size in signature[has_batch:]):
        raise ConversionError(
            f"the base's input {tensor!r} has axes of variable size: {list(signature)}. "
            "State the shape of one sample: --input-shape 224,224,3, in Python "
            "sartor.bases.TFLite(path, input_shape=(224, 224, 3))"
        )


def _batch_size(graph: Graph) -> int:
    """Return N, or 1 if the base takes one sample without a batch axis.

    Raises:
        FeatureError: If the first axes are neither.
    """
    inputs = {tensor.shape[0] for tensor in graph.inputs if tensor.rank > 1}
    outputs = {tensor.shape[0] if tensor.rank else 1 for tensor in graph.outputs}
    if not inputs or outputs == {1}:
        return 1
    if len(inputs) == 1 and outputs == inputs:
        return inputs.pop()
    raise FeatureError(
        f"the first axis is {_format(inputs)} in the inputs of the base and {_format(outputs)} in "
        "its features, so none of them is a batch. Export the base with a batch of 1"
    )


def _add_axes(graph: Graph) -> None:
    """Add a first axis of 1 to the inputs and outputs that have none."""
    for index, tensor in enumerate(graph.inputs):
        if tensor.shape[0] != 1:
            _add_input_axis(graph, index)
    for index, tensor in enumerate(graph.outputs):
        if tensor.shape[:1] != (1,):
            graph.outputs[index] = reshape(tensor, (1, *tensor.shape), name=tensor.name)


def _format(sizes: Iterable[int]) -> str:
    return " or ".join(map(str, sorted(sizes)))


def _add_input_axis(graph: Graph, index: int) -> None:
    """Put a new input [1, …] and a RESHAPE before an input."""
    inner = graph.inputs[index]
    outer = graph.tensor(inner.name, inner.dtype, (1, *inner.shape))
    outer.quantization = inner.quantization
    inner.name += "_sample"
    sizes = graph.constant(np.array(inner.shape, np.int32))
    graph.ops.insert(0, Op("RESHAPE", (outer, sizes), (inner,), options_type="ReshapeOptions"))
    graph.inputs[index] = outer


def _shrink(graph: Graph, batch: int) -> None:
    batched = {tensor for tensor in graph.inputs if tensor.shape[0] == batch}
    for op in graph.ops:
        if batched.intersection(op.inputs):
            batched.update(op.outputs)
            batched.update(t for t in op.inputs if t is not None and t.is_variable)
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
