"""Whole models: as float graphs, and the same graphs in TensorFlow in float64."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from sartor.flatbuffer import read
from sartor.graph import DType, Graph, Op, Tensor
from sartor.ops import find_row

_PADDINGS = ("SAME", "VALID")


def float_graph(path: Path) -> Graph:
    """Return the graph of a model in floats: integers become the numbers that they stand for."""
    model = read(path)
    graph = model.signatures[0].graph if model.signatures else model.main
    for op in list(graph.ops):
        if op.code == "QUANTIZE":
            graph.replace_uses(op.output, op.input(0))
            graph.remove([op])
    for tensor in graph.tensors:
        if tensor.quantization is not None and tensor.quantization.scale.size:
            _dequantize(tensor)
    return graph


def _dequantize(tensor: Tensor) -> None:
    quantization = tensor.quantization
    assert quantization is not None
    if tensor.is_constant:
        shape = [1] * tensor.rank
        if quantization.scale.size > 1:
            shape[quantization.axis] = -1
        zero = quantization.zero_point.reshape(shape)
        value = quantization.scale.reshape(shape) * (tensor.value.astype(np.float64) - zero)
        tensor.data = np.frombuffer(value.astype(np.float32).tobytes(), np.uint8)
    tensor.dtype, tensor.quantization = DType.FLOAT32, None


def weights_of(graph: Graph, after: Tensor | None = None) -> list[Tensor]:
    """Return the weights and biases of the layers that depend on a tensor. Default: of all."""
    reached = set(graph.tensors) if after is None else {after}
    weights: dict[Tensor, None] = {}
    for op in graph.ops:
        if reached.intersection(op.inputs):
            reached.update(op.outputs)
            inputs = (op.input(index) for index in find_row(op).parameters)
            weights.update(dict.fromkeys(each for each in inputs if each.is_constant))
    return list(weights)


def tensorflow_gradients(
    tf: Any, graph: Graph, feeds: Mapping[Tensor, np.ndarray], seed: np.ndarray,
    sources: Sequence[Tensor],
) -> list[np.ndarray]:  # fmt: skip
    """Return the gradients of the output by `GradientTape`, in float64."""
    values = tensorflow_values(tf, graph, feeds)
    with tf.GradientTape(persistent=False) as tape:
        for source in sources:
            if source in values:
                tape.watch(values[source])
        for op in graph.ops:
            run_in_tensorflow(tf, op, values)
            if op.output in sources:
                tape.watch(values[op.output])
        target = tf.reduce_sum(values[graph.outputs[0]] * tf.constant(seed, tf.float64))
    results = tape.gradient(target, [values[source] for source in sources])
    return [np.asarray(result) for result in results]


def tensorflow_values(
    tf: Any, graph: Graph, feeds: Mapping[Tensor, np.ndarray]
) -> dict[Tensor, Any]:
    """Return the constants and feeds of a graph in TensorFlow, floats in float64."""
    constants = {each: each.value for each in graph.tensors if each.is_constant}
    return {
        tensor: tf.constant(value, tf.float64 if value.dtype.kind == "f" else None)
        for tensor, value in {**constants, **feeds}.items()
    }


def run_in_tensorflow(tf: Any, op: Op, values: dict[Tensor, Any]) -> None:
    """Compute the output of an op, unless it has a value."""
    if op.output not in values:
        inputs = [None if each is None else values[each] for each in op.inputs]
        y = _TENSORFLOW[op.code](tf, op, inputs)
        values[op.output] = _ACTIVATIONS[op.options.get("fusedActivationFunction", 0)](tf, y)


def _conv(tf: Any, op: Op, xs: Sequence[Any]) -> Any:
    x, weights, bias = xs
    o = op.options
    strides, padding = (o["strideH"], o["strideW"]), _PADDINGS[o["padding"]]
    dilations = o["dilationHFactor"], o["dilationWFactor"]
    kernel = tf.transpose(weights, (1, 2, 3, 0))
    return tf.nn.conv2d(x, kernel, strides, padding, dilations=dilations) + bias


def _depthwise(tf: Any, op: Op, xs: Sequence[Any]) -> Any:
    x, weights, bias = xs
    o, channels = op.options, x.shape[3]
    kernel = tf.reshape(weights, (*weights.shape[1:3], channels, -1))
    strides, padding = (1, o["strideH"], o["strideW"], 1), _PADDINGS[o["padding"]]
    return tf.nn.depthwise_conv2d(x, kernel, strides, padding) + bias


def _average(tf: Any, op: Op, xs: Sequence[Any]) -> Any:
    o = op.options
    size, strides = (o["filterHeight"], o["filterWidth"]), (o["strideH"], o["strideW"])
    return tf.nn.avg_pool2d(xs[0], size, strides, _PADDINGS[o["padding"]])


_TENSORFLOW: dict[str, Callable[[Any, Op, Sequence[Any]], Any]] = {
    "CONV_2D": _conv,
    "DEPTHWISE_CONV_2D": _depthwise,
    "AVERAGE_POOL_2D": _average,
    "MEAN": lambda tf, op, xs: tf.reduce_mean(xs[0], xs[1], bool(op.options["keepDims"])),
    "ADD": lambda tf, op, xs: xs[0] + xs[1],
    "RESHAPE": lambda tf, op, xs: tf.reshape(xs[0], (-1, *op.output.shape[1:])),
    "FULLY_CONNECTED": lambda tf, op, xs: tf.matmul(xs[0], xs[1], transpose_b=True) + xs[2],
    "SOFTMAX": lambda tf, op, xs: tf.nn.softmax(xs[0] * op.options["beta"]),
}
_ACTIVATIONS: dict[int, Callable[[Any, Any], Any]] = {
    0: lambda tf, y: y,
    1: lambda tf, y: tf.nn.relu(y),
    3: lambda tf, y: tf.nn.relu6(y),
}
