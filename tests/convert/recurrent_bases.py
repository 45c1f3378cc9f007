"""Bases with recurrent layers, which keep state in variable tensors."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from convert_bases import dense, model

from sartor.flatbuffer import write
from sartor.graph import DType, Graph, Op, Quantization, Tensor
from sartor.ops import flatten, relu

STEPS, SIZE, UNITS = 7, 6, 8

_RELU, _TANH = 1, 4  # in the schema


def lstm(batch: int = 1) -> bytes:
    """Return a base with a UNIDIRECTIONAL_SEQUENCE_LSTM, as Keras 2 exports it."""
    graph = Graph("main")
    x = graph.input("x", (batch, STEPS, SIZE))
    return _classifier(_sequence_lstm(x), (batch, STEPS * UNITS))


def svdf(batch: int = 1) -> bytes:
    """Return a base with a float SVDF of rank 1 with a memory of 4 steps."""
    graph = Graph("main")
    x = graph.input("x", (batch, SIZE))
    output = graph.tensor("y", DType.FLOAT32, (batch, UNITS))
    _svdf(x, output, _state(graph, (batch, 4 * UNITS)))
    return _classifier(output, (batch, UNITS))


def int8_svdf() -> bytes:
    """Return a base with an int8 SVDF: its state is int16."""
    graph, rng = Graph("main"), np.random.default_rng(0)
    x = graph.input("x", (1, SIZE), DType.INT8)
    output = graph.tensor("y", DType.INT8, (1, UNITS))
    state = _state(graph, (1, 4 * UNITS), DType.INT16)
    _quantize((x, 0.02, 3), (output, 0.02, -128), (state, 1e-3, 0))
    weights = graph.constant(rng.integers(-127, 127, (UNITS, SIZE), np.int8))
    time = graph.constant(rng.integers(-9999, 9999, (UNITS, 4), np.int16))
    bias = graph.constant(np.zeros(UNITS, np.int32))
    _quantize((weights, 0.01, 0), (time, 1e-4, 0), (bias, 1e-7, 0))
    inputs = (x, weights, time, bias, state)
    _append(graph, "SVDF", inputs, output, rank=1, fusedActivationFunction=_RELU)
    features = graph.tensor("real", DType.FLOAT32, (1, UNITS))
    graph.add(Op("DEQUANTIZE", (output,), (features,)))
    return _classifier(features, (1, UNITS))


BASES: dict[str, Callable[[], bytes]] = {"LSTM": lstm, "SVDF": svdf, "int8 SVDF": int8_svdf}


def _classifier(x: Tensor, shape: tuple[int, int]) -> bytes:
    rows = x if x.shape == shape else flatten(x)
    hidden = relu(dense(rows, 6))
    hidden.name = "hidden"
    return write(model(x.graph, dense(hidden, 3, "logits")))


def _sequence_lstm(x: Tensor) -> Tensor:
    graph, batch = x.graph, x.shape[0]

    def matrices(size: int) -> list[Tensor]:
        return [graph.constant(_random((UNITS, size), i + size)) for i in range(4)]

    biases = [graph.constant(np.full(UNITS, 0.1 * i, np.float32)) for i in range(4)]
    states = [_state(graph, (batch, UNITS)) for _ in range(2)]
    inputs = [x, *matrices(SIZE), *matrices(UNITS), None, None, None, *biases, None, None, *states]
    output = graph.tensor("sequence", DType.FLOAT32, (batch, STEPS, UNITS))
    _append(
        graph, "UNIDIRECTIONAL_SEQUENCE_LSTM", [*inputs, None, None, None, None], output,
        timeMajor=False, fusedActivationFunction=_TANH,
    )  # fmt: skip
    return output


def _svdf(x: Tensor, output: Tensor, state: Tensor) -> None:
    weights = x.graph.constant(_random((UNITS, SIZE), 1))
    time = x.graph.constant(_random((UNITS, 4), 2))
    _append(x.graph, "SVDF", (x, weights, time, None, state), output, rank=1)


def _append(
    graph: Graph, code: str, inputs: Sequence[Tensor | None], output: Tensor, **options: object
) -> None:
    kind = "SVDFOptions" if code == "SVDF" else "UnidirectionalSequenceLSTMOptions"
    graph.add(Op(code, inputs, (output,), options=options, options_type=kind))


def _state(graph: Graph, shape: tuple[int, ...], dtype: DType = DType.FLOAT32) -> Tensor:
    state = graph.tensor("state", dtype, shape)
    state.is_variable = True
    return state


def _quantize(*tensors: tuple[Tensor, float, int]) -> None:
    for tensor, scale, zero in tensors:
        tensor.quantization = Quantization(
            np.array([scale], np.float32), np.array([zero], np.int64)
        )


def _random(shape: tuple[int, ...], seed: int) -> np.ndarray:
    values: np.ndarray = np.random.default_rng(seed).standard_normal(shape) / np.sqrt(shape[-1])
    return values.astype(np.float32)
