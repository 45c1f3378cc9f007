"""DEPTHWISE_CONV_2D never hangs: LiteRT does not return above 4,832 channels of a variable filter.

Each test runs the emitted graph, so a form that hangs would end in the time limit of the tests.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from sartor.autodiff import gradients
from sartor.graph import Graph, Op
from sartor.ops import emit, emit_any_batch, evaluate
from sartor.ops._depthwise_gradient import MAX_CHANNELS
from sartor.testing import run_graph

OPTIONS: dict[str, Any] = {"strideH": 1, "strideW": 1}


def depthwise_ops(graph: Graph) -> list[Op]:
    return [op for op in graph.ops if op.code == "DEPTHWISE_CONV_2D"]


@pytest.mark.parametrize("channels", [3001, 9700])
@pytest.mark.parametrize("multiplier", [1, 2])
def test_each_op_has_few_channels_and_the_gradients_agree(channels: int, multiplier: int) -> None:
    graph, outputs = Graph(), channels * multiplier
    x = graph.input("x", (1, 3, 2, channels))
    weights, bias = graph.input("weights", (1, 2, 2, outputs)), graph.input("bias", (outputs,))
    y = emit("DEPTHWISE_CONV_2D", x, weights, bias, **OPTIONS, depthMultiplier=multiplier)
    assert y.producer is not None
    (parts,) = emit_any_batch(y.producer, y.producer.inputs, 1)
    graph.replace_uses(y, parts)
    seed = graph.input("seed", parts.shape)
    graph.outputs = [parts, *gradients(parts, [x, weights, bias], seed=seed)]
    graph.prune()
    assert {op.input(1).shape[3] for op in depthwise_ops(graph)} <= set(range(MAX_CHANNELS + 1))
    random = np.random.default_rng(0)
    feeds = {each: random.standard_normal(each.shape).astype(np.float32) for each in graph.inputs}
    expected, actual = evaluate(graph, feeds), run_graph(graph, feeds)
    for output in graph.outputs:
        np.testing.assert_allclose(actual[output], expected[output], atol=1e-4)


@pytest.mark.parametrize("batch", [1, 400])
def test_the_number_of_channels_does_not_depend_on_the_batch(batch: int) -> None:
    graph = Graph()
    x, weights = graph.input("x", (batch, 3, 3, 20)), graph.input("weights", (1, 3, 3, 20))
    y = emit("DEPTHWISE_CONV_2D", x, weights, np.zeros(20, np.float32), **OPTIONS)
    graph.outputs = gradients(y, [x, weights], seed=graph.input("seed", y.shape))
    assert {op.output.shape[3] for op in depthwise_ops(graph)} == {20}
    feeds = {each: np.ones((400, *each.shape[1:]), np.float32) for each in graph.inputs}
    feeds[weights] = np.ones(weights.shape, np.float32)
    dw = run_graph(graph, feeds)[graph.outputs[1]]
    assert dw[0, 1, 1].tolist() == [400 * 9] * 20
