"""Reading the graph of a head: floats throughout, constants folded, a bias for each layer."""

from __future__ import annotations

import numpy as np

from ..errors import ConversionError
from ..graph import DType, Graph, Model, Op, Tensor
from ..ops import can_emit, evaluate, has_reference

__all__ = ["called", "dense_end", "open_graph"]

_INTEGERS = (DType.INT4, DType.INT8, DType.UINT8, DType.INT16)


def open_graph(model: Model, what: str) -> Graph:
    """The graph from features to the last op, ready to be taken apart.

    Quantized and float16 weights become float32, ops on constants are folded, and each
    FULLY_CONNECTED gets a bias: TensorFlow's converter leaves out those that are zero.

    Args:
        model: of one signature, or without any; changed.
        what: the model is called in messages.

    Raises:
        ConversionError: it has not one output, computes in integers, or has an op that no head
            can have.
    """
    graph = model.signatures[0].graph if model.signatures else model.main
    _check_ends(graph, what)
    _unpack_weights(graph, what)
    _fold(graph)
    graph.prune()
    for op in graph.ops:
        _check(op, what)
    _add_biases(graph)
    return graph


def dense_end(graph: Graph, what: str) -> Op:
    """The dense layer that a graph ends in.

    Raises:
        ConversionError: it ends in something else.
    """
    (logits,) = graph.outputs
    last = logits.producer
    if last is None or last.code != "FULLY_CONNECTED" or logits.rank != 2:
        ends = "in its input" if last is None else f"in {called(last)}"
        raise ConversionError(
            f"{what} ends {ends}, and a head ends in a dense layer with an output for each class "
            "(then softmax or sigmoid, if at all): `set_class` makes classes there. Add one"
        )
    if not last.input(1).is_constant:
        raise ConversionError(f"{what}: the weights of {called(last)} are computed, not kept")
    return last


def called(op: Op) -> str:
    """An op for people: its code, and the layer that it came from."""
    return f"{op.name}, which makes {op.output.name.split(';')[0]!r}"


def _check_ends(graph: Graph, what: str) -> None:
    if len(graph.outputs) != 1:
        names = ", ".join(repr(tensor.name) for tensor in graph.outputs)
        raise ConversionError(
            f"{what} has {len(graph.outputs)} outputs ({names}); a head has one: [1, classes]"
        )
    ends = [*graph.inputs, *graph.outputs]
    for tensor in ends:
        if tensor.dtype is not DType.FLOAT32 or tensor.rank < 2:
            raise ConversionError(
                f"{what}: {tensor!r} must be float32, and have a batch axis and another one"
            )
    if len({tensor.shape[0] for tensor in ends}) != 1:
        raise ConversionError(f"{what}: inputs and output differ in batch: {ends}")


def _unpack_weights(graph: Graph, what: str) -> None:
    """Let each constant that stands for reals be float32."""
    for op in list(graph.ops):
        if op.code == "DEQUANTIZE" and op.input(0).is_constant:
            graph.replace_uses(op.output, _reals(op.input(0), what))
            graph.remove([op])
    for tensor in list(graph.tensors):
        stands = tensor.dtype is DType.FLOAT16 or tensor.quantization is not None
        if tensor.is_constant and stands and tensor.consumers:
            graph.replace_uses(tensor, _reals(tensor, what))


def _reals(tensor: Tensor, what: str) -> Tensor:
    """`scale · (integer − zero point)` as a constant float32, under the same name."""
    if tensor.dtype.numpy is None or tensor.sparsity is not None:
        raise ConversionError(
            f"{what}: {tensor!r} is packed in a way that heads do not take: give the float file"
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
    """Compute at conversion what hangs on constants alone."""
    for op in list(graph.ops):
        inputs = [tensor for tensor in op.inputs if tensor is not None]
        known = inputs and all(tensor.is_constant for tensor in inputs)
        if not known or not has_reference(op):
            continue
        alone = Graph()
        alone.tensors, alone.ops = inputs, [op]
        value = evaluate(alone, {}, dtype=np.float32)[op.output]
        exact = np.asarray(value, op.output.dtype.numpy)
        graph.replace_uses(op.output, graph.constant(exact, op.output.name, exclusive=True))


def _check(op: Op, what: str) -> None:
    ends = [*op.outputs, *(tensor for tensor in op.inputs if tensor is not None)]
    if any(tensor.dtype in _INTEGERS for tensor in ends):
        raise ConversionError(
            f"{what} computes in integers ({called(op)}), which have no gradient: give the float "
            "file. Weights alone may be quantized (dynamic range, float16)"
        )
    if not can_emit(op.code) or len(op.outputs) != 1:
        raise ConversionError(
            f"{what}: {called(op)}, has no gradient rule: let the base end behind it "
            "(`features=`), use another layer, or add a rule (docs/add-a-gradient.md)"
        )


def _add_biases(graph: Graph) -> None:
    for op in graph.ops:
        if op.code == "FULLY_CONNECTED" and (len(op.inputs) < 3 or op.inputs[2] is None):
            x, weights = op.input(0), op.input(1)
            zeros = np.zeros(weights.shape[0], np.float32)
            bias = graph.constant(zeros, f"{weights.name}/bias", exclusive=True)
            op.set_inputs([x, weights, bias])
