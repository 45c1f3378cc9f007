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
"""The length of an input vector."""

_EVEN = Quantization(np.array([0.05], np.float32), np.array([-3], np.int64))


def dense(x: Tensor, units: int, name: str = "dense") -> Tensor:
    """Return `x · Wᵀ + b`, with weights that depend on the shape only."""
    rng = np.random.default_rng(units)
    weights = rng.standard_normal((units, x.shape[-1])) / np.sqrt(x.shape[-1])
    y = fully_connected(x, weights.astype(np.float32), rng.random(units, np.float32))
    y.name = name
    return y


def op(
    code: str, inputs: Sequence[Tensor], output: Tensor, kind: str = "", **options: Any
) -> Tensor:
    """Append an op that has no builder function."""
    operator = Op(code, inputs, (output,), options=options, options_type=kind or None)
    output.graph.add(operator)
    return output


def classifier(x: Tensor) -> Tensor:
    """Return a hidden layer named `hidden`, and a layer of 5 classes."""
    hidden = relu(dense(flatten(x), 6))
    hidden.name = "hidden"
    return softmax(dense(hidden, 5, "logits"))


def model(graph: Graph, *outputs: Tensor) -> Model:
    """Return a model of one graph."""
    graph.outputs = list(outputs)
    result = Model()
    result.graphs.append(graph)
    return result


def file(
    build: Callable[[Tensor], Tensor],
    shape: Sequence[int] = (1, SIZE),
    dtype: str = "FLOAT32",
    name: str = "x",
) -> bytes:
    """Return the file of a base with one input."""
    graph = Graph("main")
    return write(model(graph, build(graph.input(name, shape, DType[dtype]))))


# --- inputs ------------------------------------------------------------------------------------


def cast_to_float(x: Tensor) -> Tensor:
    """Cast an input of any dtype to float32."""
    return op("CAST", (x,), x.graph.tensor("cast", DType.FLOAT32, x.shape), "CastOptions")


def quantized_input(x: Tensor) -> Tensor:
    """Return a classifier with a quantized int8 or int16 input."""
    zero = -3 if x.dtype is DType.INT8 else 0
    x.quantization = Quantization(np.array([0.05], np.float32), np.array([zero], np.int64))
    return classifier(dequantize(x))


def two_inputs(names: Sequence[str] = ("left:0", "right:0")) -> Model:
    """Return a classifier of two vectors."""
    graph = Graph("main")
    left, right = graph.input(names[0], (1, 4)), graph.input(names[1], (1, 3))
    activation = relu(dense(left, 5))
    activation.name = "left only"
    return model(graph, classifier(concatenation([activation, right], 1)))


# --- batches -----------------------------------------------------------------------------------


def batch_of_four(x: Tensor) -> Tensor:
    """Classify [4, 2, 6]; the batch is in the constant of a RESHAPE."""
    return classifier(reshape(x, (4, SIZE)))


def batch_mixed_in(x: Tensor) -> Tensor:
    """Reshape [4, 2, 6] to [8, 6], so that the batch is not a separate axis."""
    return classifier(reshape(x, (8, 6)))


def dynamic(*, computed_features: bool = False) -> Model:
    """Return a base for [-1, 3, 4] that flattens to a computed shape, as TensorFlow does."""
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
    target_shape = op(
        "PACK", (batch, size), graph.tensor("target_shape", DType.INT32, (2,)), "PackOptions",
        valuesCount=2,
    )  # fmt: skip
    flat = op("RESHAPE", (x, target_shape), graph.tensor("flat", DType.FLOAT32, (1, SIZE)))
    logits = dense(flat, 5) if computed_features else classifier(flat)
    # An op after the features uses the batch again.
    logits = op(
        "RESHAPE", (logits, class_shape(graph, batch)), graph.tensor("out", DType.FLOAT32, (1, 5))
    )
    for tensor in graph.tensors:
        if tensor.rank > 1 and not tensor.is_constant:
            tensor.shape_signature = (-1, *tensor.shape[1:])
    return model(graph, logits)


def class_shape(graph: Graph, batch: Tensor) -> Tensor:
    """Return the computed shape [batch, 5]."""
    classes = graph.constant(np.array(5, np.int32))
    shape = graph.tensor("end", DType.INT32, (2,))
    return op("PACK", (batch, classes), shape, "PackOptions", valuesCount=2)


# --- cuts --------------------------------------------------------------------------------------


def residual(x: Tensor) -> Tensor:
    """Return a base whose cut has two tensors: one enters the last layer, one skips it."""
    first = relu(dense(x, 5))
    first.name = "first"
    second = relu(dense(first, 7))
    second.name = "second"
    return add(dense(second, 5), first)


def convolution_last(x: Tensor) -> Tensor:
    """Return a convolution over an image, 3 channels to 2, without a classifier."""
    filters = np.random.default_rng(0).standard_normal((2, 3, 3, 3)).astype(np.float32)
    graph, (_, height, width, _) = x.graph, x.shape
    inputs = (x, graph.constant(filters), graph.constant(np.zeros(2, np.float32)))
    return op(
        "CONV_2D", inputs, graph.tensor("map", DType.FLOAT32, (1, height, width, 2)),
        "Conv2DOptions", padding=0, strideW=1, strideH=1, dilationWFactor=1, dilationHFactor=1,
        fusedActivationFunction=1,
    )  # fmt: skip


def float16_features(x: Tensor) -> Tensor:
    """Return a base with the float16 tensor `half`, an output of CAST."""
    graph, hidden = x.graph, relu(dense(x, 6))
    half = op("CAST", (hidden,), graph.tensor("half", DType.FLOAT16, hidden.shape))
    return dense(cast_to_float(half), 5)


def quantized_hidden(x: Tensor) -> Tensor:
    """Return a base with the int8 tensor `codes`, which is dequantized."""
    codes = quantize(relu(dense(x, 6)), DType.INT8, _EVEN, name="codes")
    return dense(dequantize(codes), 5)


def indices(x: Tensor) -> Tensor:
    """Return a base with the int32 tensor `best`, which is not quantized."""
    index = x.graph.tensor("best", DType.INT32, (1,))
    axis = x.graph.constant(np.array([1], np.int32))
    op("ARG_MAX", (dense(x, 5), axis), index, "ArgMaxOptions", outputType=2)
    return index


# --- whole models ------------------------------------------------------------------------------


def stateful(*, changes: bool = True) -> Model:
    """Return a base with a variable.

    If the variable changes, the output depends on earlier samples: `x + Σ earlier x²`.
    """
    stateful_model, graph, start = Model(), Graph("main"), Graph("start")
    zero = start.constant(np.zeros((1, SIZE), np.float32), exclusive=True)
    assign_variable(var_handle(start, "base/sum"), zero)
    call_once(graph, start)
    x = graph.input("x", (1, SIZE))
    handle = var_handle(graph, "base/sum")
    total = add(read_variable(handle, (1, SIZE), name="sum"), square(x))
    if changes:
        assign_variable(handle, total)
    graph.outputs = [classifier(add(x, total))]
    stateful_model.graphs += [graph, start]
    return stateful_model


def two_subgraphs() -> Model:
    """Return a model with another graph first; its classifier has the default signature."""
    base, first, second = Model(), Graph("scale"), Graph("classify")
    a, x = first.input("a", (1, 2)), second.input("x", (1, SIZE))
    first.outputs, second.outputs = [mul(a, 2.0)], [classifier(x)]
    base.graphs += [first, second]
    base.signatures += [
        Signature("scale", first, {"a": a}, {"b": first.outputs[0]}),
        Signature("serving_default", second, {"x": x}, {"probabilities": second.outputs[0]}),
    ]
    return base
