"""Forms of products and gradients that LiteRT runs fast."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from sartor.autodiff import gradients
from sartor.graph import Graph, Op, Tensor
from sartor.ops import add, div, emit, evaluate, matmul, mul, sub
from sartor.ops.reduce import spread
from sartor.testing import run_graph


def ops_of(graph: Graph, code: str) -> list[Op]:
    return [op for op in graph.ops if op.code == code]


def check_on_litert(graph: Graph) -> None:
    """Compare LiteRT with the reference in float64."""
    random = np.random.default_rng(0)
    feeds = {each: random.standard_normal(each.shape).astype(np.float32) for each in graph.inputs}
    expected, actual = evaluate(graph, feeds), run_graph(graph, feeds)
    for output in graph.outputs:
        np.testing.assert_allclose(actual[output], expected[output], rtol=1e-4, atol=1e-3)


@pytest.mark.parametrize(
    ("rows", "columns", "depth", "second"),
    [(8, 160, 1000, 8), (160, 8, 1000, 8), (100, 1280, 32, 1280), (4, 1280, 20, 1280)],
)
def test_the_repacked_operand_of_a_large_product_is_the_small_one(
    rows: int, columns: int, depth: int, second: int
) -> None:
    graph = Graph()
    x, y = graph.input("x", (rows, depth)), graph.input("y", (columns, depth))
    graph.outputs = [matmul(x, y, adj_y=True)]
    (product,) = ops_of(graph, "BATCH_MATMUL")
    assert product.input(1).shape[0] == second
    assert graph.outputs[0].shape == (rows, columns)
    check_on_litert(graph)


@pytest.mark.parametrize(
    ("size", "window", "stride", "heights"),
    [
        ((7, 7), (3, 3), 1, 8),
        ((7, 5), (5, 5), 1, 9),
        ((8, 8), (3, 3), 2, 10),
        ((7, 7), (3, 3), 2, 8),
    ],
)
def test_images_of_a_batch_share_the_zeros_between_them(
    size: tuple[int, int], window: tuple[int, int], stride: int, heights: int
) -> None:
    graph, batch = Graph(), 3
    x = graph.input("x", (batch, *size, 2))
    weights = graph.input("weights", (1, *window, 2))
    options: dict[str, Any] = {"strideH": stride, "strideW": stride}
    y = emit("DEPTHWISE_CONV_2D", x, weights, np.zeros(2, np.float32), **options)
    graph.outputs = gradients(y, [x, weights], seed=graph.input("seed", y.shape))
    graph.prune()
    stacked = [op for op in ops_of(graph, "RESHAPE") if op.output.shape[0] == 1]
    assert [op.output.shape[1] for op in stacked] == [heights * batch, heights // stride * batch]
    check_on_litert(graph)


def test_no_copy_is_made_for_the_gradient_of_an_image_with_padding_same() -> None:
    graph = Graph()
    x, weights = graph.input("x", (2, 7, 7, 3)), graph.input("weights", (1, 3, 3, 3))
    y = emit("DEPTHWISE_CONV_2D", x, weights, np.zeros(3, np.float32), strideH=1, strideW=1)
    graph.outputs = gradients(y, [x], seed=graph.input("seed", y.shape))
    graph.prune()
    assert [op.code for op in graph.ops] == ["REVERSE_V2", "DEPTHWISE_CONV_2D"]
    check_on_litert(graph)


@pytest.mark.parametrize("axis", [0, 1])
@pytest.mark.parametrize("op", [add, sub, mul, div])
def test_an_op_repeats_a_gradient_itself(op: Callable[..., Tensor], axis: int) -> None:
    """Instead of an addition of zeros before it; two repeated operands keep one."""
    graph = Graph()
    x, g = graph.input("x", (4, 5)), graph.input("g", (1, 5) if axis == 0 else (4, 1))
    repeated = spread(g, x, [axis])
    graph.outputs = [op(repeated, x), op(x, repeated), op(repeated, repeated)]
    graph.prune()
    assert [output.shape for output in graph.outputs] == [x.shape] * 3
    assert len(graph.ops) == (5 if axis == 0 else 4)
    assert sum(g in each.inputs for each in graph.ops) == 4
    check_on_litert(graph)


def test_an_activation_behind_an_addition_of_zeros_stays() -> None:
    graph = Graph()
    x, g = graph.input("x", (4, 5)), graph.input("g", (4, 1))
    activated = emit("ADD", g, np.zeros((1, 5), np.float32), fusedActivationFunction=1)
    graph.outputs = [mul(activated, x)]
    assert len(graph.ops) == 2
    check_on_litert(graph)
