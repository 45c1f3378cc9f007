"""A small network with a branch, and the output of commands, for tests of `describe`."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sartor.cli import main
from sartor.flatbuffer import write
from sartor.graph import DType, Graph, Model, Op, Signature, Tensor


def command(capfd: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, str, str]:
    """Run a command, and return its exit code, stdout and stderr."""
    capfd.readouterr()
    with pytest.raises(SystemExit) as exit_info:
        main([str(argument) for argument in arguments])
    captured = capfd.readouterr()
    return int(exit_info.value.code or 0), captured.out, captured.err


def as_json(capfd: pytest.CaptureFixture[str], path: Path) -> Any:
    code, out, err = command(capfd, "inspect", path, "--json")
    assert (code, err) == (0, "")
    return json.loads(out)


def width(line: str) -> int:
    """Return the columns of a terminal that a line takes."""
    return sum(2 if unicodedata.east_asian_width(letter) in "WF" else 1 for letter in line)


def layer(graph: Graph, x: Tensor, units: int, name: str, *, activation: int = 0) -> Tensor:
    weights = graph.constant(np.full((units, x.shape[-1]), 0.1, np.float32), f"{name}/weights")
    y = graph.tensor(name, DType.FLOAT32, (x.shape[0], units))
    options = {"fusedActivationFunction": activation}
    graph.add(
        Op("FULLY_CONNECTED", (x, weights, None), (y,), options=options,
           options_type="FullyConnectedOptions")
    )  # fmt: skip
    return y


def op(
    graph: Graph, code: str, inputs: Sequence[Tensor | None], name: str, **options: Any
) -> Tensor:
    first = next(tensor for tensor in inputs if tensor is not None)
    y = graph.tensor(name, first.dtype, first.shape)
    table = {"ADD": "AddOptions", "SOFTMAX": "SoftmaxOptions"}.get(code)
    graph.add(Op(code, inputs, (y,), options=options, options_type=table))
    return y


def model_of(graph: Graph, *signatures: Signature) -> bytes:
    model = Model()
    model.graphs = list(dict.fromkeys([graph, *(each.graph for each in signatures)]))
    model.signatures = list(signatures)
    return write(model)


def residual(last: str = "ABS") -> bytes:
    """Return x [1, 4] → a [1, 6] → b [1, 6], a + b → c [1, 3] → `last`: 24 + 36 + 18 weights."""
    graph = Graph("main")
    a = layer(graph, graph.input("x", (1, 4)), 6, "a")
    b = layer(graph, a, 6, "b")
    total = op(graph, "ADD", (a, b), "sum")
    c = layer(graph, total, 3, "c")
    graph.outputs = [op(graph, last, (c,), "end", **({"beta": 1.0} if last == "SOFTMAX" else {}))]
    return model_of(graph)
