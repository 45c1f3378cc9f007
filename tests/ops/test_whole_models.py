"""Gradients of real models in LiteRT agree with TensorFlow in float64.

Both from the first layer and from a late cut, with respect to all weights behind it. Integers of a
quantized model become the numbers that they stand for.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from whole_models import float_graph, tensorflow_gradients, weights_of

from sartor.autodiff import gradients
from sartor.graph import Graph, Tensor
from sartor.ops import evaluate
from sartor.testing import run_graph

ACROSS_KINKS = (
    "mobilenet_v1_0.25_128_quant",
    "mobilenet_v2_1.0_224_quant",
    "tf2_mobilenet_v2_1.0_224_ptq",
)
"""Models in which rounding to float32 moves a few of the many RELU6 across a kink."""

ROUNDED = 0.02
"""The error that this can cause. The same graphs in float64 agree to 1e-7."""


@pytest.fixture(scope="module")
def tf() -> Any:
    return pytest.importorskip("tensorflow", reason="the extra `tensorflow` is not installed")


def late_cut(graph: Graph) -> Tensor:
    """Return the input of the third last convolution."""
    convolutions = [op for op in graph.ops if op.code == "CONV_2D"]
    return convolutions[-3].input(0)


def test_gradients_agree_with_tensorflow(real_model: Path, tf: Any) -> None:
    graph = float_graph(real_model)
    (x,), output = graph.inputs, graph.outputs[0]
    random = np.random.default_rng(0)
    feeds = {x: random.uniform(-1, 1, x.shape).astype(np.float32)}
    factors = random.standard_normal(output.shape).astype(np.float32)
    tolerance = ROUNDED if real_model.stem in ACROSS_KINKS else 1e-5
    for start in (x, late_cut(graph)):
        sources = [*weights_of(graph, start), start]
        expected = tensorflow_gradients(tf, graph, feeds, factors, sources)
        seed = graph.input("seed", output.shape)
        graph.outputs = gradients(output, sources, seed=seed)
        all_feeds = {**feeds, seed: factors}
        _compare(run_graph(graph, all_feeds), graph, expected, tolerance)
        if x.shape[1] < 200:  # larger images take NumPy a minute
            _compare(evaluate(graph, all_feeds), graph, expected, 1e-7)
        graph.outputs = [output]
        graph.inputs.remove(seed)
        graph.prune()


def _compare(
    actual: Mapping[Tensor, np.ndarray],
    graph: Graph,
    expected: Sequence[np.ndarray],
    tolerance: float,
) -> None:
    for gradient, exact in zip(graph.outputs, expected, strict=True):
        error = np.linalg.norm(actual[gradient] - exact) / np.linalg.norm(exact)
        assert error < tolerance, gradient
