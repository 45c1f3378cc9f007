"""Gradients pass straight through quantization, and other integers end a path."""

from __future__ import annotations

import numpy as np
import pytest

from sartor.autodiff import gradients
from sartor.errors import GradientError
from sartor.graph import DType, Graph, Quantization, Tensor
from sartor.ops import dequantize, emit, mul, quantize
from sartor.testing import run_graph

SCHEME = Quantization(np.array([0.5], np.float32), np.array([-1], np.int64))


def rounded(x: Tensor, scheme: Quantization = SCHEME) -> Tensor:
    return dequantize(quantize(x, DType.INT8, scheme, name="rounded"))


def test_a_quantization_passes_the_gradient_inside_its_range() -> None:
    graph = Graph()
    x, seed = graph.input("x", (5,)), graph.input("seed", (5,))
    (gradient,) = gradients(mul(rounded(x), 3.0), [x], seed=seed)
    graph.outputs = [gradient]
    values = np.array([-63.6, -63.4, 0.1, 63.9, 64.1], np.float32)  # the range is -63.5 … 64
    factors = np.arange(1, 6, dtype=np.float32)
    assert run_graph(graph, {x: values, seed: factors})[gradient].tolist() == [0, 6, 9, 12, 0]


def test_a_scale_for_each_channel_is_not_supported() -> None:
    x = Graph().input("x", (1,))
    scheme = Quantization(np.ones(2, np.float32), np.zeros(2, np.int64))
    with pytest.raises(GradientError, match="only floats with one scale are quantized"):
        gradients(rounded(x, scheme), [x])


def test_rounding_by_a_cast_ends_the_path() -> None:
    x = Graph().input("x", (1,))
    with pytest.raises(GradientError, match="does not depend on"):
        gradients(emit("CAST", x.graph.input("n", (1,), DType.INT32)), [x])
