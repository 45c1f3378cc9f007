"""Wide layers are trained in groups of channels, with the same results."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from sartor.autodiff import gradients
from sartor.graph import Graph, Op, Tensor
from sartor.ops import emit, evaluate, reduce_sum
from sartor.passes.split_wide_layers import split_wide_layers

ROWS, INNER = 1400, 256
"""Their product is the size of the activation between the layers: 1.4 MiB."""

RELU6 = 3
SAME: dict[str, Any] = {"strideH": 1, "strideW": 1}


def convolution(graph: Graph, x: Tensor, channels: int, activation: int = 0) -> Tensor:
    weights = graph.input(f"weights_{channels}", (channels, 1, 1, x.shape[3]))
    bias = graph.input(f"bias_{channels}", (channels,))
    return emit("CONV_2D", x, weights, bias, **SAME, fusedActivationFunction=activation)


def depthwise(graph: Graph, x: Tensor) -> Tensor:
    weights = graph.input("filter", (1, 3, 3, x.shape[3]))
    bias = np.linspace(-1, 1, x.shape[3], dtype=np.float32)
    return emit("DEPTHWISE_CONV_2D", x, weights, bias, **SAME, fusedActivationFunction=RELU6)


def residual(graph: Graph, x: Tensor) -> Tensor:
    inner = depthwise(graph, convolution(graph, x, INNER, RELU6))
    return convolution(graph, inner, 24, RELU6)


def mean(graph: Graph, x: Tensor) -> Tensor:
    wide = emit("HARD_SWISH", convolution(graph, x, INNER))
    return emit("MEAN", wide, np.array([1, 2], np.int32))


def pooled(graph: Graph, x: Tensor) -> Tensor:
    wide = convolution(graph, x, INNER, RELU6)
    window: dict[str, Any] = {"filterHeight": 2, "filterWidth": 700}
    return emit("AVERAGE_POOL_2D", wide, **SAME, **window, padding=1)


def ops_of(graph: Graph, code: str) -> list[Op]:
    return [op for op in graph.ops if op.code == code]


def make(layers: Any) -> tuple[Graph, Tensor]:
    graph = Graph()
    y = layers(graph, graph.input("x", (1, 2, ROWS // 2, 16)))
    return graph, emit("NEG", y)


def values(graph: Graph) -> list[np.ndarray]:
    random = np.random.default_rng(0)
    results = evaluate(graph, {x: random.standard_normal(x.shape) for x in graph.inputs})
    return [results[output] for output in graph.outputs]


def differentiate(graph: Graph, y: Tensor) -> None:
    loss = reduce_sum(y, list(range(y.rank)))
    graph.outputs = [y, *gradients(loss, graph.inputs)]
    graph.prune()


@pytest.mark.parametrize("layers", [residual, mean, pooled])
def test_groups_have_the_same_results_and_gradients(layers: Any) -> None:
    whole, split = make(layers), make(layers)
    split_wide_layers(split[0], split[1])
    assert len(ops_of(split[0], "CONV_2D")) == 2 * len(ops_of(whole[0], "CONV_2D"))
    for graph, y in (whole, split):
        differentiate(graph, y)
    for actual, expected in zip(values(split[0]), values(whole[0]), strict=True):
        np.testing.assert_allclose(actual, expected, rtol=1e-9, atol=1e-9)


def test_layers_that_fit_into_the_cache_stay_whole() -> None:
    graph = Graph()
    y = emit("NEG", residual(graph, graph.input("x", (1, 2, 300, 16))))
    split_wide_layers(graph, y)
    assert len(ops_of(graph, "CONV_2D")) == 2


def test_an_activation_that_is_used_twice_stays_whole() -> None:
    graph = Graph()
    wide = convolution(graph, graph.input("x", (1, 2, ROWS // 2, 16)), INNER)
    y = emit("ADD", mean_of(wide), mean_of(emit("RELU", wide)))
    split_wide_layers(graph, y)
    assert len(ops_of(graph, "CONV_2D")) == 1


def test_the_result_stays() -> None:
    graph = Graph()
    y = residual(graph, graph.input("x", (1, 2, ROWS // 2, 16)))
    split_wide_layers(graph, y)
    assert y.producer in graph.ops


def test_constant_weights_are_not_copied() -> None:
    graph = Graph()
    weights = np.ones((INNER, 1, 1, 16), np.float32)
    x = graph.input("x", (1, 2, ROWS // 2, 16))
    y = emit("NEG", mean_of(emit("CONV_2D", x, weights, np.zeros(INNER, np.float32), **SAME)))
    split_wide_layers(graph, y)
    assert len(ops_of(graph, "CONV_2D")) == 1


def mean_of(x: Tensor) -> Tensor:
    return emit("MEAN", x, np.array([1, 2], np.int32))
