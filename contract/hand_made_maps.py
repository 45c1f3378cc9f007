"""Small bases whose features are a map, and heads of convolutions, for the vectors."""

from __future__ import annotations

import numpy as np
from hand_made import add_op, classifier, grid, int8, model_of

from sartor.graph import DType, Graph, Model, Quantization, Tensor
from sartor.ops import add, emit, flatten, fully_connected, matmul, mean, relu, softmax

__all__ = [
    "convolution_head",
    "float_tail",
    "int8_map_base",
    "map_base",
    "residual_head",
    "two_layer_base",
]

_RELU, _RELU6 = 1, 3


def map_base() -> Model:
    """Return a base whose features are a map [1, 6, 5, 2]."""
    random = np.random.default_rng(8)
    graph = Graph("map base")
    hidden = relu(matmul(graph.input("image", (1, 6, 5, 3)), grid(random, 3, 2)))
    hidden.name = "map"
    return model_of(graph, classifier(random, mean(hidden, [1, 2])))


def two_layer_base() -> Model:
    """Return a base of two convolutions, a mean of 4 features, and its classifier."""
    random = np.random.default_rng(13)
    graph = Graph("two layer base")
    first = _convolve(random, graph.input("image", (1, 6, 5, 3)), 2, size=3, activation=_RELU)
    second = _convolve(random, first, 4, size=3, stride=2)
    return model_of(graph, classifier(random, mean(second, [1, 2])))


def convolution_head() -> Model:
    """Return a head [1, 6, 5, 2] → 3 classes: a depthwise and a strided convolution, pooling."""
    random = np.random.default_rng(9)
    graph = Graph("head")
    filters = emit(
        "DEPTHWISE_CONV_2D", graph.input("x", (1, 6, 5, 2)), grid(random, 1, 3, 3, 4),
        grid(random, 4), depthMultiplier=2, strideH=1, strideW=1, fusedActivationFunction=3,
    )  # fmt: skip
    blocks = emit(
        "CONV_2D", filters, grid(random, 5, 3, 3, 4), grid(random, 5), strideH=2, strideW=2,
        fusedActivationFunction=1,
    )  # fmt: skip
    pooled = flatten(
        emit(
            "AVERAGE_POOL_2D", blocks, filterHeight=2, filterWidth=2, strideH=1, strideW=1,
            padding=1,
        )
    )  # fmt: skip
    return model_of(graph, softmax(fully_connected(pooled, grid(random, 3, 20), grid(random, 3))))


def residual_head() -> Model:
    """Return a head [1, 6, 5, 2] → 3 classes: a residual block like those of ResNet, and a mean.

    A batch normalization is part of the weights and biases.
    """
    random = np.random.default_rng(10)
    graph = Graph("head")
    x = graph.input("x", (1, 6, 5, 2))
    first = _convolve(random, x, 4, size=3, stride=2, activation=_RELU)
    second = _convolve(random, first, 4, size=3)
    skip = _convolve(random, x, 4, size=1, stride=2)
    pooled = mean(relu(add(second, skip)), [1, 2])
    return model_of(graph, softmax(fully_connected(pooled, grid(random, 3, 4), grid(random, 3))))


def int8_map_base() -> Model:
    """Return a quantized base whose features are an int8 map [1, 3, 3, 4], and its classifier."""
    random = np.random.default_rng(11)
    graph = Graph("int8 map base")
    x = int8(graph.input("image", (1, 6, 6, 3), DType.INT8), 0.0078125, 0)
    weights = _channels(random, graph, (4, 3, 3, 3), "weights")
    bias = graph.constant(random.integers(-2000, 2001, 4, np.int32), "bias")
    assert weights.quantization is not None
    bias.quantization = Quantization(
        weights.quantization.scale * np.float32(0.0078125), np.zeros(4, np.int64), 0
    )
    y = int8(graph.tensor("map", DType.INT8, (1, 3, 3, 4)), 0.0347, -128)
    add_op(
        "CONV_2D", (x, weights, bias), y, "Conv2DOptions", dilationWFactor=1, dilationHFactor=1,
        padding=0, strideW=2, strideH=2, fusedActivationFunction=_RELU,
    )  # fmt: skip
    pooled = int8(graph.tensor("pooled", DType.INT8, (1, 4)), 0.0219, -128)
    add_op("MEAN", (y, graph.constant(np.array([1, 2], np.int32), "axes")), pooled,
           "ReducerOptions")  # fmt: skip
    logits = int8(graph.tensor("logits", DType.INT8, (1, 4)), 0.1, 0)
    rows = int8(graph.constant(random.integers(-127, 128, (4, 4), np.int8), "rows"), 0.01, 0)
    add_op("FULLY_CONNECTED", (pooled, rows, None), logits, "FullyConnectedOptions")
    return model_of(graph, logits)


def float_tail() -> Model:
    """Return the layers behind that map, in floats with int8 weights, with 4 classes."""
    random = np.random.default_rng(12)
    graph = Graph("tail")
    x = graph.input("x", (1, 3, 3, 4))
    weights = _channels(random, graph, (6, 1, 1, 4), "weights")
    bias = graph.constant(grid(random, 6), "bias")
    y = graph.tensor("convolved", DType.FLOAT32, (1, 3, 3, 6))
    add_op(
        "CONV_2D", (x, weights, bias), y, "Conv2DOptions", dilationWFactor=1, dilationHFactor=1,
        padding=0, strideW=1, strideH=1, fusedActivationFunction=_RELU6,
    )  # fmt: skip
    rows = int8(graph.constant(random.integers(-127, 128, (4, 6), np.int8), "rows"), 0.015, 0)
    logits = graph.tensor("logits", DType.FLOAT32, (1, 4))
    add_op("FULLY_CONNECTED", (mean(y, [1, 2]), rows, None), logits, "FullyConnectedOptions")
    return model_of(graph, logits)


def _convolve(
    random: np.random.Generator,
    x: Tensor,
    channels: int,
    *,
    size: int,
    stride: int = 1,
    activation: int = 0,
) -> Tensor:
    return emit(
        "CONV_2D", x, grid(random, channels, size, size, x.shape[3]), grid(random, channels),
        strideH=stride, strideW=stride, fusedActivationFunction=activation,
    )  # fmt: skip


def _channels(
    random: np.random.Generator, graph: Graph, shape: tuple[int, ...], name: str
) -> Tensor:
    """Return int8 weights with a scale for each output channel."""
    weights = graph.constant(random.integers(-127, 128, shape, np.int8), name)
    scales = np.linspace(0.011, 0.015, shape[0]).astype(np.float32)
    weights.quantization = Quantization(scales, np.zeros(shape[0], np.int64), 0)
    return weights
