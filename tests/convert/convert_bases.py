"""Small bases, each with one property that conversion has to handle."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from sartor.flatbuffer import write
from sartor.graph import DType, Graph, Model, Op, Quantization, Signature, Tensor
from sartor.ops import (
    add,
    assign_variable,
    call_once,
    concatenation,
    dequantize,
    flatten,
    fully_connected,
    matmul,
    mul,
    quantize,
    read_variable,
    relu,
    reshape,
    softmax,
    square,
    var_handle,
)

SIZE = 12
"""The numbers that a sample of `vectors` has."""

_EVEN = Quantization(np.array([0.05], np.float32), np.array([-3], np.int64))


def dense(x: Tensor, units: int, name: str = "dense") -> Tensor:
    """`x · Wᵀ + b`, with weights that depend on the shape alone."""
    rng = np.random.default_rng(units)
    weights = rng.standard_normal((units, x.shape[-1])) / np.sqrt(x.shape[-1])
    y = fully_connected(x, weights.astype(np.float32), rng.random(units, np.float32))
    y.name = name
    return y


def op(
    code: str, inputs: Sequence[Tensor], output: Tensor, kind: str = "", **options: Any
) -> Tensor:
    """Append an op that has no builder of its own."""
    conversion = Op(code, inputs, (output,), options=options, options_type=kind or None)
    output.graph.add(conversion)
    return output


def classifier(x: Tensor) -> Tensor:
    """A hidden layer named `hidden`, and a layer of 5 classes."""
    hidden = relu(dense(flatten(x), 6))
    hidden.name = "hidden"
    return softmax(dense(hidden, 5, "logits"))


def model(graph: Graph, *outputs: Tensor) -> Model:
    """A model of one graph."""
    graph.outputs = list(outputs)
    conversion = Model()
    conversion.graphs.append(graph)
    return conversion


def file(
    build: Callable[[Tensor], Tensor],
    shape: Sequence[int] = (1, SIZE),
    dtype: str = "FLOAT32",
    name: str = "x",
) -> bytes:
    """The file of a base with one input."""
    graph = Graph("main")
    return write(model(graph, build(graph.input(name, shape, DType[dtype]))))


# --- inputs ------------------------------------------------------------------------------------


def cast_to_float(x: Tensor) -> Tensor:
    """CAST: from whatever the input is."""
    return op("CAST", (x,), x.graph.tensor("cast", DType.FLOAT32, x.shape), "CastOptions")


def quantized_input(x: Tensor) -> Tensor:
    """An int8 or int16 input that stands for reals."""
    zero = -3 if x.dtype is DType.INT8 else 0
    x.quantization = Quantization(np.array([0.05], np.float32), np.array([zero], np.int64))
    return classifier(dequantize(x))


def two_inputs(names: Sequence[str] = ("left:0", "right:0")) -> Model:
    """Numbers and more numbers."""
    graph = Graph("main")
    left, right = graph.input(names[0], (1, 4)), graph.input(names[1], (1, 3))
    seen = relu(dense(left, 5))
    seen.name = "left only"
    return model(graph, classifier(concatenation([seen, right], 1)))


# --- batches -----------------------------------------------------------------------------------


def batch_of_four(x: Tensor) -> Tensor:
    """[4, 2, 6] with the batch in the constant of a RESHAPE."""
    return classifier(reshape(x, (4, SIZE)))


def batch_mixed_in(x: Tensor) -> Tensor:
    """[4, 2, 6] to [8, 6]: the batch is no axis of its own any more."""
    return classifier(reshape(x, (8, 6)))


def dynamic(*, computed_features: bool = False) -> Model:
    """[-1, 3, 4], flattened as TensorFlow does it: to a shape that is computed."""
    graph = Graph("main")
    x = graph.input("x", (1, 3, 4))
    x = matmul(x, np.eye(4, dtype=np.float32)) if computed_features else x
    shape = op("SHAPE", (x,), graph.tensor("shape", DType.INT32, (3,)), "ShapeOptions", outType=2)
    ints = [graph.constant(np.array([n], np.int32)) for n in (0, 1, 1)]
    batch = op(
        "STRIDED_SLICE", (shape, *ints), graph.tensor("batch", DType.INT32, ()),
        "StridedSliceOptions", shrinkAxisMask=1,
    )  # fmt: skip
    size = graph.constant(np.array(SIZE, np.int32))
    wanted = op(
        "PACK", (batch, size), graph.tensor("wanted", DType.INT32, (2,)), "PackOptions",
        valuesCount=2,
    )  # fmt: skip
    flat = op("RESHAPE", (x, wanted), graph.tensor("flat", DType.FLOAT32, (1, SIZE)))
    logits = dense(flat, 5) if computed_features else classifier(flat)
    # Behind the features, the batch is used once more.
    logits = op("RESHAPE", (logits, five(graph, batch)), graph.tensor("out", DType.FLOAT32, (1, 5)))
    for tensor in graph.tensors:
        if tensor.rank > 1 and not tensor.is_constant:
            tensor.shape_signature = (-1, *tensor.shape[1:])
    return model(graph, logits)


def five(graph: Graph, batch: Tensor) -> Tensor:
    """The shape [batch, 5], computed."""
    size = graph.constant(np.array(5, np.int32))
    shape = graph.tensor("end", DType.INT32, (2,))
    return op("PACK", (batch, size), shape, "PackOptions", valuesCount=2)


# --- cuts --------------------------------------------------------------------------------------


def residual(x: Tensor) -> Tensor:
    """Two tensors cross the cut: into the last layer, and past it."""
    first = relu(dense(x, 5))
    first.name = "first"
    second = relu(dense(first, 7))
    second.name = "second"
    return add(dense(second, 5), first)


def convolution_last(x: Tensor) -> Tensor:
    """No classifier: a convolution over a picture, 3 channels to 2."""
    filters = np.random.default_rng(0).standard_normal((2, 3, 3, 3)).astype(np.float32)
    graph, (_, height, width, _) = x.graph, x.shape
    inputs = (x, graph.constant(filters), graph.constant(np.zeros(2, np.float32)))
    return op(
        "CONV_2D", inputs, graph.tensor("map", DType.FLOAT32, (1, height, width, 2)),
        "Conv2DOptions", padding=0, strideW=1, strideH=1, dilationWFactor=1, dilationHFactor=1,
        fusedActivationFunction=1,
    )  # fmt: skip


def float16_features(x: Tensor) -> Tensor:
    """`half`: float16, as CAST makes it."""
    graph, hidden = x.graph, relu(dense(x, 6))
    half = op("CAST", (hidden,), graph.tensor("half", DType.FLOAT16, hidden.shape))
    return dense(cast_to_float(half), 5)


def quantized_hidden(x: Tensor) -> Tensor:
    """`codes`: int8, and reals again."""
    codes = quantize(relu(dense(x, 6)), DType.INT8, _EVEN, name="codes")
    return dense(dequantize(codes), 5)


def indices(x: Tensor) -> Tensor:
    """`best`: int32, which stands for no reals."""
    best = x.graph.tensor("best", DType.INT32, (1,))
    axis = x.graph.constant(np.array([1], np.int32))
    op("ARG_MAX", (dense(x, 5), axis), best, "ArgMaxOptions", outputType=2)
    return best


# --- whole models ------------------------------------------------------------------------------


def stateful() -> Model:
    """What it makes of a sample depends on those before: `x + Σ earlier x²`."""
    conversion, graph, start = Model(), Graph("main"), Graph("start")
    zero = start.constant(np.zeros((1, SIZE), np.float32), exclusive=True)
    assign_variable(var_handle(start, "base/seen"), zero)
    call_once(graph, start)
    x = graph.input("x", (1, SIZE))
    handle = var_handle(graph, "base/seen")
    seen = add(read_variable(handle, (1, SIZE), name="seen"), square(x))
    assign_variable(handle, seen)
    graph.outputs = [classifier(add(x, seen))]
    conversion.graphs += [graph, start]
    return conversion


def two_subgraphs() -> Model:
    """The classifier is the second graph, under the usual signature; the first is another."""
    conversion, first, second = Model(), Graph("scale"), Graph("classify")
    a, x = first.input("a", (1, 2)), second.input("x", (1, SIZE))
    first.outputs, second.outputs = [mul(a, 2.0)], [classifier(x)]
    conversion.graphs += [first, second]
    conversion.signatures += [
        Signature("scale", first, {"a": a}, {"b": first.outputs[0]}),
        Signature("serving_default", second, {"x": x}, {"probabilities": second.outputs[0]}),
    ]
    return conversion
