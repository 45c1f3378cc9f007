"""Rules for dense layers keep the output and rewrite only the graphs that they match."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from sartor.graph import Graph, Tensor
from sartor.ops import (
    add,
    div,
    evaluate,
    fully_connected,
    matmul,
    mul,
    reduce_sum,
    relu,
    rsqrt,
    square,
    sub,
)
from sartor.passes import fold_constants, merge_dense

RNG = np.random.default_rng(0)
WEIGHTS = RNG.normal(size=(3, 4)).astype(np.float32)
BIAS = RNG.normal(size=3).astype(np.float32)
TWO = np.array([2], np.float32)

Build = Callable[[Tensor], Tensor]


def layer(x: Tensor) -> Tensor:
    return fully_connected(x, WEIGHTS)


def length(x: Tensor) -> Tensor:
    """Return 1 / ‖x‖, [1, 1]."""
    return rsqrt(reduce_sum(square(x), [1], keep_dims=True))


def used_twice(x: Tensor) -> Tensor:
    y = layer(x)
    return add(mul(y, TWO), y)


FC = "FULLY_CONNECTED"
REWRITTEN: dict[str, tuple[Build, list[str]]] = {
    "a product": (lambda x: matmul(x, WEIGHTS.T), [FC]),
    "a product with the transposed": (lambda x: matmul(x, WEIGHTS, adj_y=True), [FC]),
    "a bias": (lambda x: add(layer(x), BIAS), [FC]),
    "a temperature": (lambda x: div(layer(x), TWO), [FC]),
    "a bias and a temperature": (lambda x: div(add(layer(x), BIAS), TWO), [FC]),
    "a length": (
        lambda x: layer(mul(x, length(x))), ["BATCH_MATMUL", "RSQRT", FC, "MUL"],
    ),
    "a length on the left": (
        lambda x: layer(mul(length(x), x)), ["BATCH_MATMUL", "RSQRT", FC, "MUL"],
    ),
    "a length, a bias and a temperature": (
        lambda x: div(add(layer(mul(x, length(x))), BIAS), TWO),
        ["BATCH_MATMUL", "RSQRT", FC, "MUL", "ADD"],
    ),
    "a center": (lambda x: layer(sub(x, WEIGHTS[0])), [FC]),
    "a center, a bias and a factor": (
        lambda x: add(layer(mul(sub(x, WEIGHTS[0]), TWO)), BIAS), [FC],
    ),
    "a center of normalized rows": (
        lambda x: add(layer(sub(mul(x, length(x)), WEIGHTS[0])), BIAS),
        ["BATCH_MATMUL", "RSQRT", FC, "MUL", "ADD"],
    ),
    "a bias of 0": (lambda x: sub(add(layer(x), BIAS * 0), BIAS * 0), [FC]),
    "an op of two constants": (
        lambda x: add(layer(x), mul(x.graph.constant(BIAS), TWO)), [FC],
    ),
}  # fmt: skip

UNCHANGED: dict[str, tuple[Build, list[str]]] = {
    "an output that two ops use": (used_twice, [FC, "MUL", "ADD"]),
    "a factor a column": (lambda x: layer(mul(x, WEIGHTS[:1])), ["MUL", FC]),
    "a center that varies": (
        lambda x: layer(sub(x, reduce_sum(x, [1], keep_dims=True))), ["SUM", "SUB", FC],
    ),
    "an activation in between": (lambda x: mul(relu(layer(x)), TWO), [FC, "RELU", "MUL"]),
    "a matrix added": (
        lambda x: add(layer(x), reduce_sum(x, [1], keep_dims=True)), [FC, "SUM", "ADD"],
    ),
    "a product of two variables": (lambda x: matmul(x, x, adj_y=True), ["BATCH_MATMUL"]),
}  # fmt: skip


@pytest.mark.parametrize("name", [*REWRITTEN, *UNCHANGED])
def test_rules_rewrite_matching_graphs_and_keep_the_output(name: str) -> None:
    build, codes = (REWRITTEN | UNCHANGED)[name]
    graph, feed = Graph(), RNG.normal(size=(1, 4))
    x = graph.input("x", (1, 4))
    graph.outputs = [build(x)]
    before = evaluate(graph, {x: feed})[graph.outputs[0]]
    fold_constants(graph)
    merge_dense(graph)
    after = evaluate(graph, {x: feed})[graph.outputs[0]]
    assert [op.code for op in graph.ops] == codes
    np.testing.assert_allclose(after, before, rtol=1e-5, atol=1e-6)
