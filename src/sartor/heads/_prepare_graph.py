"""Prepare the graph of a head: float constants, folded ops, a bias for each layer."""

from __future__ import annotations

import numpy as np

from ..errors import ConversionError
from ..graph import DType, Graph, Model, Op, Tensor
from ..ops import can_emit, constant_output, fold_shapes
from ._keep_batch_axis import keep_batch_axis

__all__ = ["describe_op", "last_dense_layer", "prepare_graph"]

_INTEGERS = (DType.INT4, DType.INT8, DType.UINT8, DType.INT16)


def prepare_graph(model: Model, name: str) -> Graph:
    """Return the graph from the features to the last op, as heads need it.

    Quantized and float16 weights become float32, ops on constants are folded, and each
    FULLY_CONNECTED gets a bias (TensorFlow's converter removes zero biases).

    Args:
        model: a model with one signature or none; changed in place.
        name: name of the model in messages.

    Raises:
        ConversionError: If it does not have exactly one output, computes in integers, or has an
            op without a gradient rule.
    """
    graph = model.signatures[0].graph if model.signatures else model.main
    _check_ends(graph, name)
    _unpack_weights(graph, name)
    fold_shapes(graph)
    _fold(graph)
    graph.prune()
    keep_batch_axis(graph)
    for op in graph.ops:
        _check_op(op, name)
    _add_biases(graph)
    return graph


def last_dense_layer(graph: Graph, name: str) -> Op:
    """Return the dense layer at the end of a graph.

    Raises:
        ConversionError: If the graph ends in another op.
    """
    (logits,) = graph.outputs
    last = logits.producer
    if last is None or last.code != "FULLY_CONNECTED" or logits.rank != 2:
        end = "its input" if last is None else describe_op(last)
        raise ConversionError(
            f"{name} ends in {end}, and a head must end in a dense layer with one output per class "
            "(optionally followed by softmax or sigmoid). Add a dense layer"
        )
    if not last.input(1).is_constant:
        raise ConversionError(f"{name}: the weights of {describe_op(last)} are not constant")
    return last


def describe_op(op: Op) -> str:
    """Return the name of an op and of its layer, for messages."""
    return f"{op.name}, which computes {op.output.name.split(';')[0]!r}"


def _check_ends(graph: Graph, name: str) -> None:
    if len(graph.outputs) != 1:
        outputs = ", ".join(repr(tensor.name) for tensor in graph.outputs)
        raise ConversionError(
            f"{name} has {len(graph.outputs)} outputs ({outputs}); a head has one: [1, classes]"
        )
    ends = [*graph.inputs, *graph.outputs]
    for tensor in ends:
        if tensor.dtype is not DType.FLOAT32 or tensor.rank < 2:
            raise ConversionError(
                f"{name}: {tensor!r} must be float32, with a batch axis and at least one other axis"
            )
    if len({tensor.shape[0] for tensor in ends}) != 1:
        raise ConversionError(f"{name}: inputs and output differ in batch size: {ends}")


def _unpack_weights(graph: Graph, name: str) -> None:
    """Convert each quantized or float16 constant to float32."""
    for op in list(graph.ops):
        if op.code == "DEQUANTIZE" and op.input(0).is_constant:
            graph.replace_uses(op.output, _to_float32(op.input(0), name))
            graph.remove([op])
    for tensor in list(graph.tensors):
        is_packed = tensor.dtype is DType.FLOAT16 or tensor.quantization is not None
        if tensor.is_constant and is_packed and tensor.consumers:
            graph.replace_uses(tensor, _to_float32(tensor, name))


def _to_float32(tensor: Tensor, name: str) -> Tensor:
    """Return the constant `scale · (integer − zero point)` as float32, with the same name."""
    if tensor.dtype.numpy is None or tensor.sparsity is not None:
        raise ConversionError(
            f"{name}: {tensor!r} has a packed or sparse format that heads do not support: give the "
            "float file"
        )
    value, quantization = tensor.value.astype(np.float32), tensor.quantization
    if quantization is not None and quantization.scale.size and not tensor.dtype.is_float:
        shape = [1] * tensor.rank
        if quantization.scale.size > 1:
            shape[quantization.axis] = -1
        zero = quantization.zero_point if quantization.zero_point.size else np.zeros(1)
        scale = quantization.scale.reshape(shape)
        value = (scale * (value - zero.reshape(shape if zero.size > 1 else -1))).astype(np.float32)
    return tensor.graph.constant(value.reshape(tensor.shape), tensor.name, exclusive=True)


def _fold(graph: Graph) -> None:
    """Replace ops whose inputs are constant by their value."""
    for op in list(graph.ops):
        value = constant_output(op, {})
        if value is not None:
            graph.replace_uses(op.output, graph.constant(value, op.output.name, exclusive=True))


def _check_op(op: Op, name: str) -> None:
    ends = [*op.outputs, *(tensor for tensor in op.inputs if tensor is not None)]
    if any(tensor.dtype in _INTEGERS for tensor in ends):
        raise ConversionError(
            f"{name} computes in integers ({describe_op(op)}), which have no gradient: give the "
            "float file. Only weights may be quantized (dynamic range, float16)"
        )
    if not can_emit(op.code):
        raise ConversionError(
            f"{name}: {describe_op(op)}, has no gradient rule: cut the base after it "
            "(`features=`), use another layer, or add a rule (docs/add-a-gradient.md)"
        )


def _add_biases(graph: Graph) -> None:
    for op in graph.ops:
        if op.code == "FULLY_CONNECTED" and (len(op.inputs) < 3 or op.inputs[2] is None):
            x, weights = op.input(0), op.input(1)
            zeros = np.zeros(weights.shape[0], np.float32)
            bias = graph.constant(zeros, f"{weights.name}/bias", exclusive=True)
            op.set_inputs([x, weights, bias])
