"""Small bases and heads for the vectors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from sartor.graph import DType, Graph, Model, Op, Quantization, Tensor
from sartor.heads import Parameter
from sartor.losses import SoftmaxCrossEntropy
from sartor.ops import (
    add,
    concatenation,
    div,
    flatten,
    fully_connected,
    l2_normalization,
    matmul,
    maximum,
    mean,
    mul,
    reduce_sum,
    relu,
    reshape,
    softmax,
    tanh,
    transpose,
)

__all__ = [
    "TwoMapHead",
    "add_op",
    "classifier",
    "feature_base",
    "float_base",
    "graph_head",
    "grid",
    "int8",
    "int8_base",
    "model_of",
    "recurrent_base",
    "two_feature_base",
    "two_input_base",
]


def float_base() -> Model:
    """Return a base: an image [1, 4, 4, 3], a dense layer and a classifier."""
    random = np.random.default_rng(1)
    graph = Graph("float base")
    x = graph.input("image", (1, 4, 4, 3))
    hidden = relu(fully_connected(flatten(x), grid(random, 12, 48), grid(random, 12)))
    hidden.name = "hidden"
    return model_of(graph, classifier(random, hidden))


def feature_base() -> Model:
    """Return a base: four numbers [1, 4], a dense layer of 12 features, and a classifier."""
    random = np.random.default_rng(7)
    graph = Graph("feature base")
    hidden = relu(fully_connected(graph.input("numbers", (1, 4)), grid(random, 12, 4)))
    return model_of(graph, classifier(random, hidden))


def int8_base() -> Model:
    """Return a quantized base: an int8 image [1, 6, 6, 3], a convolution, a mean, a classifier."""
    random = np.random.default_rng(2)
    graph = Graph("int8 base")
    x = int8(graph.input("image", (1, 6, 6, 3), DType.INT8), 0.0078125, 0)
    scales = np.array([0.0111, 0.0123, 0.0137, 0.0151], np.float32)
    weights = graph.constant(random.integers(-127, 128, (4, 3, 3, 3), np.int8), "weights")
    weights.quantization = Quantization(scales, np.zeros(4, np.int64), 0)
    bias = graph.constant(random.integers(-2000, 2001, 4, np.int32), "bias")
    bias.quantization = Quantization(scales * np.float32(0.0078125), np.zeros(4, np.int64), 0)
    y = int8(graph.tensor("convolved", DType.INT8, (1, 2, 2, 4)), 0.0347, -128)
    stride = {"padding": 1, "strideW": 2, "strideH": 2, "fusedActivationFunction": 1}
    add_op("CONV_2D", (x, weights, bias), y, "Conv2DOptions", dilationWFactor=1, dilationHFactor=1,
        **stride)  # fmt: skip
    features = int8(graph.tensor("features", DType.INT8, (1, 4)), 0.0219, -128)
    axes = graph.constant(np.array([1, 2], np.int32), "axes")
    add_op("MEAN", (y, axes), features, "ReducerOptions")
    rows = graph.constant(random.integers(-127, 128, (5, 4), np.int8), "classifier")
    rows.quantization = Quantization(np.array([0.01], np.float32), np.zeros(1, np.int64))
    logits = int8(graph.tensor("logits", DType.INT8, (1, 5)), 0.1, 0)
    add_op("FULLY_CONNECTED", (features, rows, None), logits, "FullyConnectedOptions")
    return model_of(graph, logits)


def two_feature_base() -> Model:
    """Return a base with two maps: `fine` [1, 4, 4, 2] and `coarse` [1, 2, 2, 3]."""
    random = np.random.default_rng(3)
    graph = Graph("two-feature base")
    x = graph.input("image", (1, 4, 4, 2))
    fine = relu(matmul(x, grid(random, 2, 2)))
    fine.name = "fine"
    blocks = mean(reshape(fine, (1, 2, 2, 2, 2, 2)), [2, 4])
    coarse = tanh(matmul(blocks, grid(random, 2, 3)))
    coarse.name = "coarse"
    return model_of(graph, mean(coarse, [1, 2]))


def two_input_base() -> Model:
    """Return a base with two inputs: an image [1, 3, 3, 1] and three words [1, 3]."""
    random = np.random.default_rng(4)
    graph = Graph("two-input base")
    image = graph.input("image", (1, 3, 3, 1))
    words = graph.input("words", (1, 3), DType.INT32)
    hidden = relu(fully_connected(flatten(image), grid(random, 6, 9), grid(random, 6)))
    table = graph.constant(grid(random, 4, 5), "table")
    read = graph.tensor("read", DType.FLOAT32, (1, 3, 5))
    add_op("GATHER", (table, words), read, "GatherOptions")
    return model_of(graph, classifier(random, concatenation([hidden, mean(read, [1])], 1)))


def recurrent_base() -> Model:
    """Return a base with an LSTM: a sequence [1, 5, 3], whose state is in variable tensors."""
    random = np.random.default_rng(6)
    graph, units = Graph("recurrent base"), 4
    x = graph.input("sequence", (1, 5, 3))
    matrices = [grid(random, units, size) for size in (3,) * 4 + (units,) * 4]
    biases = [grid(random, units) for _ in range(4)]
    states = [graph.tensor(name, DType.FLOAT32, (1, units)) for name in ("hidden", "cell")]
    for state in states:
        state.is_variable = True
    hidden = graph.tensor("steps", DType.FLOAT32, (1, 5, units))
    add_op(
        "UNIDIRECTIONAL_SEQUENCE_LSTM",
        [x, *map(graph.constant, matrices), *[None] * 3, *map(graph.constant, biases),
         *[None] * 2, *states, *[None] * 4],
        hidden, "UnidirectionalSequenceLSTMOptions", fusedActivationFunction=4,
    )  # fmt: skip
    return model_of(graph, classifier(random, flatten(hidden)))


def graph_head() -> Model:
    """Return a head [1, 12] → 4 classes: ReLUs, a fixed normalization, softmax."""
    random = np.random.default_rng(5)
    graph = Graph("head")
    x = graph.input("x", (1, 12))
    hidden = relu(fully_connected(x, grid(random, 7, 12), grid(random, 7)))
    scaled = add(mul(hidden, grid(random, 7)), grid(random, 7))
    return model_of(graph, softmax(fully_connected(scaled, grid(random, 4, 7))))


@dataclass(frozen=True)
class TwoMapHead:
    """A head for the two maps, of rank 4.

    `fine` is multiplied by a trained map and averaged; `coarse` is flattened. Classes are the last
    axis of the first weights, and the first axis of the second.
    """

    name = "two_map_head"
    flat = False
    feature_norm = None
    loss = SoftmaxCrossEntropy()

    def settings(self) -> Mapping[str, Any]:
        """Return no settings."""
        return {}

    def identity(self) -> Mapping[str, Any]:
        """Return no settings."""
        return {}

    def parameters(self, features: Sequence[tuple[int, ...]], capacity: int) -> list[Parameter]:
        """Return `map` [1, H, W, 1], `fine` [channels, C], `coarse` [C, values], `bias` [C]."""
        (height, width, channels), coarse = features
        values = int(np.prod(coarse))
        return [
            Parameter("map", np.ones((1, height, width, 1), np.float32)),
            Parameter("fine", np.zeros((channels, capacity), np.float32), class_axis=1),
            Parameter("coarse", np.zeros((capacity, values), np.float32), class_axis=0),
            Parameter("bias", np.zeros(capacity, np.float32), class_axis=0),
        ]

    def logits(self, features: Sequence[Tensor], parameters: Mapping[str, Tensor]) -> Tensor:
        """Emit `pooled · fine + values · coarseᵀ + bias`."""
        pooled, values = self._rows(features, parameters)
        fine = matmul(pooled, parameters["fine"])
        coarse = matmul(values, parameters["coarse"], adj_y=True)
        return add(add(fine, coarse), parameters["bias"])

    def imprint(
        self,
        features: Sequence[Tensor],
        sample_weights: Tensor,
        parameters: Mapping[str, Tensor],
        other_classes: Tensor,
    ) -> dict[str, Tensor]:
        """Emit the direction of the mean of each part."""
        pooled, values = self._rows(features, parameters)
        column = reshape(sample_weights, (-1, 1))
        total = maximum(reduce_sum(sample_weights, [0], keep_dims=True), 1e-6)

        def direction(rows: Tensor) -> Tensor:
            return l2_normalization(div(reduce_sum(mul(rows, column), [0], keep_dims=True), total))

        return {
            "fine": transpose(direction(pooled), [1, 0]),
            "coarse": direction(values),
            "bias": mul(total, 0.0),
        }

    def _rows(
        self, features: Sequence[Tensor], parameters: Mapping[str, Tensor]
    ) -> tuple[Tensor, Tensor]:
        fine, coarse = features
        return mean(mul(fine, parameters["map"]), [1, 2]), flatten(coarse)


def grid(random: np.random.Generator, *shape: int) -> np.ndarray:
    """Return random multiples of 1/64, which float32 represents exactly."""
    return (random.integers(-32, 33, shape) / 64).astype(np.float32)


def classifier(random: np.random.Generator, features: Tensor) -> Tensor:
    """Emit a dense layer with five classes, and a softmax."""
    return softmax(fully_connected(features, grid(random, 5, features.shape[1])))


def int8(tensor: Tensor, scale: float, zero_point: int) -> Tensor:
    """Give a tensor one scale."""
    tensor.quantization = Quantization(
        np.array([scale], np.float32), np.array([zero_point], np.int64)
    )
    return tensor


def add_op(
    code: str, inputs: Sequence[Tensor | None], output: Tensor, options_type: str, **options: Any
) -> None:
    """Append an op as it is; `emit` would check it."""
    output.graph.add(Op(code, inputs, (output,), options=options, options_type=options_type))


def model_of(graph: Graph, output: Tensor) -> Model:
    """Return a model of one graph."""
    graph.outputs = [output]
    model = Model()
    model.graphs.append(graph)
    return model
