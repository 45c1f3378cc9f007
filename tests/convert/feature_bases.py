"""Bases whose features are not the input of a last dense layer."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from convert_bases import classifier, dense, model, op

from sartor.flatbuffer import write
from sartor.graph import DType, Graph, Op, Quantization, Tensor
from sartor.ops import concatenation, logistic, mean, relu, reshape, softmax, square

SIZE = 16


def image(graph: Graph) -> Tensor:
    return graph.input("x", (1, SIZE, SIZE, 3))


def conv(x: Tensor, channels: int, name: str, *, stride: int = 2, relu: bool = True) -> Tensor:
    """Return a 3 x 3 convolution, with RELU by default."""
    graph, (_, height, width, depth) = x.graph, x.shape
    filters = np.random.default_rng(channels).standard_normal((channels, 3, 3, depth)) / 5
    bias = graph.constant(np.zeros(channels, np.float32))
    shape = (1, -(-height // stride), -(-width // stride), channels)
    return op(
        "CONV_2D", (x, graph.constant(filters.astype(np.float32)), bias),
        graph.tensor(name, DType.FLOAT32, shape), "Conv2DOptions", padding=0, strideW=stride,
        strideH=stride, dilationWFactor=1, dilationHFactor=1, fusedActivationFunction=int(relu),
    )  # fmt: skip


def pool(x: Tensor, name: str) -> Tensor:
    y = mean(x, [1, 2])
    y.name = name
    return y


def file(graph: Graph, *outputs: Tensor) -> bytes:
    for index, tensor in enumerate(outputs):
        tensor.name = f"output {index}"
    return write(model(graph, *outputs))


def squeezenet() -> bytes:
    """Classify by a convolution whose output is pooled."""
    graph = Graph("main")
    maps = conv(conv(image(graph), 6, "early"), 8, "maps")
    return file(graph, softmax(pool(conv(maps, 2, "scores", stride=1), "pooled scores")))


def auxiliary(order: Sequence[int] = (0, 1)) -> bytes:
    """Return a main classifier on a deep layer and an auxiliary one on an early layer."""
    graph = Graph("main")
    early = conv(image(graph), 4, "early")
    deep = conv(early, 10, "deep")
    main = softmax(dense(pool(deep, "main pool"), 4, "main"))
    side = softmax(dense(pool(early, "side pool"), 4, "side"))
    return file(graph, *((main, side)[index] for index in order))


def two_tasks(order: Sequence[int] = (0, 1)) -> bytes:
    """Return a classifier on the pooled maps, and a regression with a hidden layer."""
    graph = Graph("main")
    pooled = pool(conv(image(graph), 10, "maps"), "shared")
    age = dense(relu(dense(pooled, 6, "hidden")), 1, "age")
    outputs = softmax(dense(pooled, 4, "classes")), age
    return file(graph, *(outputs[index] for index in order))


def two_towers() -> bytes:
    """Return two classifiers with layers of their own."""
    graph = Graph("main")
    maps = conv(image(graph), 4, "maps")
    left, right = (pool(conv(maps, size, f"map {size}"), f"pool {size}") for size in (6, 8))
    return file(graph, softmax(dense(left, 3, "a")), softmax(dense(right, 3, "b")))


def embedder() -> bytes:
    """Return an embedding of length 1, as Keras's UnitNormalization computes it."""
    graph = Graph("main")
    vector = dense(pool(conv(image(graph), 10, "maps"), "pool"), 5, "vector")
    total = op(
        "SUM", (square(vector), graph.constant(np.array([1], np.int32))),
        graph.tensor("total", DType.FLOAT32, (1, 1)), "ReducerOptions", keepDims=True,
    )  # fmt: skip
    inverse = op("RSQRT", (total,), graph.tensor("inverse", DType.FLOAT32, (1, 1)))
    return file(graph, op("MUL", (vector, inverse), graph.tensor("y", DType.FLOAT32, (1, 5))))


def headless() -> bytes:
    """Return the pooled output of a convolution with `x · sigmoid(x)`."""
    graph = Graph("main")
    maps = conv(image(graph), 10, "maps", relu=False)
    swish = op("MUL", (maps, logistic(maps)), graph.tensor("swish", DType.FLOAT32, maps.shape))
    return file(graph, pool(swish, "pool"))


def segmentation() -> bytes:
    """Return a class for each position."""
    graph = Graph("main")
    small = conv(conv(image(graph), 4, "large"), 6, "small")
    return file(graph, softmax(conv(small, 2, "classes", stride=1, relu=False)))


def detector() -> bytes:
    """Return boxes and scores of two scales, as SSD does."""
    graph = Graph("main")
    first = conv(image(graph), 6, "first")
    second = conv(first, 8, "second")
    sides = []
    for kind in ("box", "score"):
        maps = [conv(x, 4, f"{kind} of {x.name}", stride=1, relu=False) for x in (first, second)]
        sides.append(concatenation([reshape(x, (1, x.size // 4, 4)) for x in maps], 1))
    return file(graph, sides[0], logistic(sides[1]))


def postprocessed_detector() -> bytes:
    """Return the detections of the custom op that ends the detectors of TensorFlow."""
    graph = Graph("main")
    maps = conv(conv(image(graph), 6, "first"), 8, "second")
    boxes = conv(maps, 4, "boxes", stride=1, relu=False)
    scores = logistic(conv(maps, 5, "scores", stride=1, relu=False))
    inputs = [reshape(x, (1, 16, x.shape[-1])) for x in (boxes, scores)]
    outputs = [graph.tensor("y", DType.FLOAT32, shape) for shape in ((1, 9, 4), (1, 9))]
    graph.add(Op("CUSTOM", inputs, outputs, custom_code="TFLite_Detection_PostProcess"))
    return file(graph, *outputs)


def custom_op_last() -> bytes:
    """Return a classifier behind a custom op."""
    graph = Graph("main")
    hidden = relu(dense(graph.input("x", (1, 6)), 7, "hidden"))
    hidden.name = "before"
    odd = graph.tensor("odd", DType.FLOAT32, (1, 7))
    graph.add(Op("CUSTOM", (hidden,), (odd,), custom_code="FlexOdd"))
    return file(graph, softmax(dense(odd, 3, "classes")))


def nameless() -> bytes:
    """Return a classifier whose tensors have no names or equal names."""
    graph = Graph("main")
    y = classifier(graph.input("x", (1, 6)))
    base = model(graph, y)
    for tensor in graph.tensors:
        if not tensor.is_constant:
            tensor.name = "" if tensor.producer is None else "same"
    return write(base)


def int32_scaled() -> bytes:
    """Return a base with a tensor that has a scale, and that LiteRT cannot dequantize."""
    graph = Graph("main")
    hidden = relu(dense(graph.input("x", (1, 6)), 7, "hidden"))
    wide = op("CAST", (hidden,), graph.tensor("wide", DType.INT32, (1, 7)))
    wide.quantization = Quantization(np.array([0.1], np.float32), np.array([0], np.int64))
    real = op("CAST", (wide,), graph.tensor("real", DType.FLOAT32, (1, 7)))
    return file(graph, dense(real, 3, "classes"))


def size_from_input() -> bytes:
    """Return a classifier behind a RESHAPE whose sizes are an input: LiteRT refuses zeros."""
    graph = Graph("main")
    hidden = relu(dense(graph.input("x", (1, 6)), 7, "hidden"))
    hidden.name = "before"
    sizes = graph.input("sizes", (1, 2), DType.INT32)
    flat = reshape(sizes, (2,))
    shaped = op("RESHAPE", (hidden, flat), graph.tensor("shaped", DType.FLOAT32, (1, 7)))
    return file(graph, softmax(dense(shaped, 3, "classes")))
