"""Gradients at kinks and at the limits of float32 are finite and as documented."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from sartor.autodiff import gradients
from sartor.graph import Graph, Tensor
from sartor.ops import (
    div,
    emit,
    l2_normalization,
    log_softmax,
    logistic,
    maximum,
    minimum,
    pow_,
    reduce_sum,
    relu,
    reshape,
    rsqrt,
    softmax,
    sqrt,
    square,
    tanh,
)
from sartor.testing import run_graph

LAST, HALF = np.array([1], np.int32), np.array([0.5], np.float32)


def gradient_of(
    build: Callable[[Tensor], Tensor], x: list[float], seed_value: list[float]
) -> list[float]:
    graph = Graph()
    source = graph.input("x", (1, len(x)))
    output = build(source)
    seed = graph.input("seed", output.shape)
    graph.outputs = gradients(output, [source], seed=seed)
    feeds = {source: np.array([x], np.float32), seed: np.array([seed_value], np.float32)}
    return [float(value) for value in run_graph(graph, feeds)[graph.outputs[0]].ravel()]


def norm(x: Tensor) -> Tensor:
    return sqrt(reduce_sum(square(x), [1], keep_dims=True))


def max_pool(x: Tensor) -> Tensor:
    """Return the largest of three neighbors: [1, 4] → [1, 2]."""
    pool: dict[str, Any] = {
        "filterHeight": 1,
        "filterWidth": 3,
        "strideH": 1,
        "strideW": 1,
        "padding": 1,
    }
    return reshape(emit("MAX_POOL_2D", reshape(x, (-1, 1, 4, 1)), **pool), (-1, 2))


@pytest.mark.parametrize(
    ("case", "build", "x", "seed", "expected"),
    [
        ("RELU at its kink", relu, [0.0, 1e-20], [1, 1], [0, 1]),
        ("RELU of the largest float", relu, [3e38, -3e38], [2, 2], [2, 0]),
        ("RELU6 at its kinks", lambda x: emit("RELU6", x), [0, 6, 5.999999, 7], [1] * 4,
         [0, 0, 1, 0]),
        ("RELU_N1_TO_1 at its kinks",
         lambda x: emit("ADD", x, 0.0, fusedActivationFunction=2), [-1, 1, 0.9999999, 0], [1] * 4,
         [0, 0, 1, 1]),
        ("a tie goes to the second input of MAXIMUM", lambda x: maximum(x, 1.0), [1, 2], [3, 3],
         [0, 3]),
        ("a tie goes to the second input of MINIMUM", lambda x: minimum(0.0, x), [0, 2], [3, 3],
         [3, 0]),
        ("equal largest elements share", lambda x: emit("REDUCE_MAX", x, LAST), [2, 1, 2], [3],
         [1.5, 0, 1.5]),
        ("the first of equal largest elements of a window gets all", max_pool, [2, 3, 3, 1], [1, 5],
         [0, 6, 0, 0]),
        ("largest elements of overlapping windows", max_pool, [4, 4, 3, 4], [1, 5], [1, 5, 0, 0]),
        ("ABS at its kink", lambda x: emit("ABS", x), [0.0, 1e-20, -1e-20], [2] * 3, [0, 2, -2]),
        ("PRELU at its kink", lambda x: emit("PRELU", x, HALF), [0.0, 1e-20], [2, 2], [1, 2]),
        ("GELU at 0 and far from it", lambda x: emit("GELU", x), [0, 50, -50], [2] * 3, [1, 2, 0]),
        ("approximate GELU far from 0", lambda x: emit("GELU", x, approximate=True), [50, -50],
         [2, 2], [2, 0]),
        ("RELU_0_TO_1 at its kinks", lambda x: emit("RELU_0_TO_1", x), [0, 1, 0.999999], [1] * 3,
         [0, 0, 1]),
        ("the norm of zeros", norm, [0, 0], [1], [0, 0]),
        ("a small norm", norm, [3e-15, 4e-15], [1], [0.6, 0.8]),
        ("a root at zero with seed zero", sqrt, [0, 4], [0, 1], [0, 0.25]),
        ("a large root", sqrt, [1e36, 1e-36], [1, 1], [5e-19, 5e17]),
        ("a reciprocal root", rsqrt, [1e-20, 1e20], [1, 1], [-5e29, -5e-31]),
        ("a reciprocal", lambda x: div(1.0, x), [1e-15, 1e15], [1, 1], [-1e30, -1e-30]),
        ("a small ratio of large numbers", lambda x: div(1e25, x), [1e22, 2e22], [1, 1],
         [-1e-19, -2.5e-20]),
        ("zero to the power of one", lambda x: pow_(x, 1.0), [0, -2], [1, 1], [1, 1]),
        ("zero to the power of zero", lambda x: pow_(x, 0.0), [0, 2], [1, 1], [0, 0]),
        ("a square at zero", lambda x: pow_(x, 2.0), [0, -3], [1, 1], [0, -6]),
        ("the exponent of zero", lambda e: pow_(0.0, e), [1, 2], [1, 1], [0, 0]),
        ("saturated LOGISTIC", logistic, [100, -100], [1, 1], [0, 0]),
        ("saturated TANH", tanh, [50, -50], [1, 1], [0, 0]),
        ("SOFTMAX of distant logits", softmax, [1000, 0], [1, 1], [0, 0]),
        ("LOG_SOFTMAX of distant logits", log_softmax, [1000, 0], [0, 1], [-1, 1]),
        ("L2_NORMALIZATION of zeros", l2_normalization, [0, 0], [1e-6, 2e-6], [1, 2]),
        ("L2_NORMALIZATION of large numbers", l2_normalization, [1e15, 1e15], [1, 0],
         [0.5 / np.sqrt(2e30), -0.5 / np.sqrt(2e30)]),
    ],
)  # fmt: skip
def test_a_gradient_at_the_edge_is_as_documented(
    case: str,
    build: Callable[[Tensor], Tensor],
    x: list[float],
    seed: list[float],
    expected: list[float],
) -> None:
    assert gradient_of(build, x, seed) == pytest.approx(expected, rel=1e-5, abs=1e-37), case
