"""Heads as `.tflite` files."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from sartor.flatbuffer import write
from sartor.graph import DType, Graph, Model, Op, Quantization, Tensor
from sartor.ops import (
    add,
    div,
    emit,
    fully_connected,
    logistic,
    mean,
    mul,
    relu,
    reshape,
    softmax,
    square,
    sub,
)

FEATURES, CLASSES = 16, 4

Build = Callable[[Tensor, np.random.Generator], Tensor]


def file_of(build: Build, *shape: int) -> bytes:
    """Return a file that applies `build` to its input; the default shape is [1, 16]."""
    graph = Graph("head")
    output = build(graph.input("x", shape or (1, FEATURES)), np.random.default_rng(0))
    return write_graph(graph, output)


def write_graph(graph: Graph, *outputs: Tensor) -> bytes:
    graph.outputs = list(outputs)
    model = Model()
    model.graphs.append(graph)
    return write(model)


def noise(random: np.random.Generator, *shape: int) -> np.ndarray:
    return np.asarray(random.normal(size=shape) / np.sqrt(shape[-1]), np.float32)


def dense(x: Tensor, units: int, random: np.random.Generator, **options: int) -> Tensor:
    weights, bias = noise(random, units, x.shape[-1]), noise(random, units)
    return emit("FULLY_CONNECTED", x, weights, bias, name=f"dense_{units}", **options)


def two_layers(x: Tensor, random: np.random.Generator) -> Tensor:
    return softmax(dense(dense(x, 32, random, fusedActivationFunction=1), CLASSES, random))


def one_layer(x: Tensor, random: np.random.Generator) -> Tensor:
    return dense(x, CLASSES, random)


def sigmoid_labels(x: Tensor, random: np.random.Generator) -> Tensor:
    return logistic(dense(relu(dense(x, 24, random)), CLASSES, random))


def no_bias(x: Tensor, random: np.random.Generator) -> Tensor:
    hidden = relu(fully_connected(x, noise(random, 24, FEATURES)))
    return fully_connected(hidden, noise(random, CLASSES, 24))


def normalized(x: Tensor, random: np.random.Generator) -> Tensor:
    """Center the features, and normalize the hidden layer over the batch."""
    centered = mul(sub(x, noise(random, FEATURES)), 0.5)
    hidden = emit("HARD_SWISH", dense(centered, 24, random))
    return dense(add(mul(hidden, noise(random, 24) + 1), noise(random, 24)), CLASSES, random)


def folded_axes(x: Tensor, random: np.random.Generator) -> Tensor:
    """Apply a layer to the rows of a matrix, as Keras converts Dense on rank 3."""
    rows = dense(reshape(x, (4, 4)), 6, random)
    return dense(reshape(rows, (1, 24)), CLASSES, random)


def pool_image(x: Tensor, random: np.random.Generator) -> Tensor:
    """Classify the mean of an image [1, 4, 4, 1]."""
    pooled = emit("MEAN", x, np.array([1, 2], np.int32))
    return dense(dense(pooled, 8, random), CLASSES, random)


def shared(x: Tensor, random: np.random.Generator) -> Tensor:
    """Use one constant as the bias of two layers, as converters do for equal biases."""
    bias = np.full(FEATURES, 0.1, np.float32)
    first = relu(fully_connected(x, noise(random, FEATURES, FEATURES), bias))
    second = relu(fully_connected(first, noise(random, FEATURES, FEATURES), bias))
    return dense(second, CLASSES, random)


def residual(x: Tensor, random: np.random.Generator) -> Tensor:
    """Add two layers without the batch axis, as TensorFlow converts a sum."""
    hidden = dense(dense(x, 8, random, fusedActivationFunction=1), FEATURES, random)
    total = add(x, reshape(hidden, (FEATURES,)))
    return dense(add(total, reshape(dense(total, FEATURES, random), (FEATURES,))), CLASSES, random)


def curved(x: Tensor, random: np.random.Generator) -> Tensor:
    hidden = emit("GELU", dense(x, 12, random))
    hidden = emit("PRELU", dense(hidden, 12, random), noise(random, 12))
    softsign = div(hidden, add(emit("ABS", hidden), 1.0))
    return dense(softsign, CLASSES, random)


def gated(x: Tensor, random: np.random.Generator) -> Tensor:
    """Multiply one half of a layer by the sigmoid of the other, and stack two branches."""
    hidden = dense(x, 16, random)
    graph, axis = x.graph, x.graph.constant(np.array(1, np.int32))
    halves = [graph.tensor(name, DType.FLOAT32, (1, 8)) for name in ("value", "gate")]
    graph.add(
        Op("SPLIT", (axis, hidden), halves, options={"numSplits": 2}, options_type="SplitOptions")
    )
    value = mul(halves[0], logistic(halves[1]))
    stack = graph.tensor("stack", DType.FLOAT32, (1, 2, 8))
    options = {"axis": 1, "valuesCount": 2}
    graph.add(
        Op("PACK", (value, dense(x, 8, random)), (stack,), options=options,
           options_type="PackOptions")
    )  # fmt: skip
    return dense(emit("REDUCE_MAX", stack, np.array([1], np.int32)), CLASSES, random)


HEADS: dict[str, Build] = {
    "softmax": two_layers,
    "one layer": one_layer,
    "sigmoid": sigmoid_labels,
    "no bias": no_bias,
    "normalization": normalized,
    "rows of a map": folded_axes,
    "equal constants": shared,
    "residual": residual,
    "GELU, PRELU and softsign": curved,
    "gates and branches": gated,
}


def pack_weights(scheme: str) -> bytes:
    """Return the head `two_layers` with int8 weights, per tensor or per row, or float16."""
    graph = Graph("head")
    random = np.random.default_rng(0)
    x = graph.input("x", (1, FEATURES))
    for units in (32, CLASSES):
        weights, bias = noise(random, units, x.shape[-1]), noise(random, units)
        constant = _packed(graph, weights, scheme)
        y = graph.tensor(f"dense_{units}", DType.FLOAT32, (1, units))
        options = {"fusedActivationFunction": int(units == 32)}
        graph.add(
            Op("FULLY_CONNECTED", (x, constant, graph.constant(bias)), (y,), options=options,
               options_type="FullyConnectedOptions")
        )  # fmt: skip
        x = y
    return write_graph(graph, x)


def _packed(graph: Graph, weights: np.ndarray, scheme: str) -> Tensor:
    if scheme == "float16":
        half = graph.constant(weights.astype(np.float16), "half")
        dequantized = graph.tensor("whole", DType.FLOAT32, weights.shape)
        graph.add(Op("DEQUANTIZE", (half,), (dequantized,), options_type="DequantizeOptions"))
        return dequantized
    axis = 1 if scheme == "per row" else None
    scale = np.abs(weights).max(axis=axis).reshape(-1).astype(np.float32) / 127
    rows = np.round(weights / (scale[:, None] if axis else scale)).astype(np.int8)
    constant = graph.constant(rows, "packed", exclusive=True)
    constant.quantization = Quantization(scale, np.zeros(scale.size, np.int64), 0)
    return constant


# --- graphs that cannot be heads --------------------------------------------------------------


def two_outputs() -> bytes:
    graph = Graph("head")
    x = graph.input("x", (1, FEATURES))
    output = dense(x, CLASSES, np.random.default_rng(0))
    return write_graph(graph, output, relu(output))


def integers() -> bytes:
    graph = Graph("head")
    x = graph.input("x", (1, FEATURES))
    inside = graph.tensor("inside", DType.INT8, (1, FEATURES))
    inside.quantization = Quantization(np.array([0.1], np.float32), np.zeros(1, np.int64))
    graph.add(Op("QUANTIZE", (x,), (inside,), options_type="QuantizeOptions"))
    outside = graph.tensor("outside", DType.FLOAT32, (1, FEATURES))
    graph.add(Op("DEQUANTIZE", (inside,), (outside,), options_type="DequantizeOptions"))
    return write_graph(graph, dense(outside, CLASSES, np.random.default_rng(0)))


def without_rule() -> bytes:
    """Return a head with SIN in the layer `wave`."""
    graph = Graph("head")
    x = graph.input("x", (1, FEATURES))
    hidden = dense(x, 8, np.random.default_rng(0))
    wave = graph.tensor("model/wave/Sin", DType.FLOAT32, hidden.shape)
    graph.add(Op("SIN", (hidden,), (wave,)))
    return write_graph(graph, dense(wave, CLASSES, np.random.default_rng(0)))


def no_dense_end(x: Tensor, random: np.random.Generator) -> Tensor:
    return div(square(dense(x, CLASSES, random)), 2.0)


def mixed_batch(x: Tensor, random: np.random.Generator) -> Tensor:
    mean = emit("MEAN", x, np.array([0], np.int32), keepDims=True)
    return dense(sub(x, mean), CLASSES, random)


def residual_base(x: Tensor, random: np.random.Generator) -> Tensor:
    """Apply a convolution, a residual block of two, a pool, and a classifier."""
    first = convolve(x, random, 6, activation=1)
    inside = convolve(convolve(first, random, 8, activation=1), random, 6)
    pooled = mean(relu(add(first, inside)), [1, 2])
    return softmax(dense(reshape(pooled, (1, 6)), 5, random))


def convolve(x: Tensor, random: np.random.Generator, units: int, activation: int = 0) -> Tensor:
    weights, bias = noise(random, units, 3, 3, x.shape[3]), noise(random, units)
    return emit(
        "CONV_2D", x, weights, bias, strideH=1, strideW=1, fusedActivationFunction=activation
    )
