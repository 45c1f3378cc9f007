"""The commands that `sartor convert` prints if the features are not clear."""

from __future__ import annotations

import shlex
from pathlib import Path

import numpy as np
import pytest
from commands import Run

from sartor.flatbuffer import write
from sartor.graph import Graph, Model, Tensor
from sartor.ops import fully_connected, relu, softmax


def dense(x: Tensor, units: int, name: str) -> Tensor:
    weights = np.ones((units, x.shape[-1]), np.float32)
    y = relu(fully_connected(x, weights, np.zeros(units, np.float32)))
    y.name = name
    return y


@pytest.fixture
def base(tmp_path: Path) -> Path:
    """Return a base with two classifiers, each with a layer of its own."""
    model, graph = Model(), Graph("main")
    shared = dense(graph.input("x", (1, 4)), 5, "shared")
    graph.outputs = [
        softmax(fully_connected(dense(shared, size, name), np.ones((3, size), np.float32), None))
        for size, name in ((6, "left side"), (7, "right side"))
    ]
    model.graphs.append(graph)
    path = tmp_path / "two towers.tflite"
    path.write_bytes(write(model))
    return path


@pytest.mark.parametrize("wrong", [(), ("--features", "left"), ("--features=left",)])
def test_each_printed_command_converts(
    base: Path, tmp_path: Path, run: Run, wrong: tuple[str, ...]
) -> None:
    output = tmp_path / "out.tflite"
    result = run("convert", base, "-o", output, "--classes", "a,b", "--head", "cosine", *wrong)
    assert result.code == 1
    if wrong:
        assert "no tensor 'left'. Similar names: 'left side'" in result.error
        return
    first, *commands = result.err.splitlines()
    assert first.endswith("suggest different features. Choose the features with:")
    assert [line.partition("  # ")[2] for line in commands] == ["6 numbers", "7 numbers"]
    for line in commands:
        program, *arguments = shlex.split(line.partition("  # ")[0])
        assert program == "sartor"
        assert run(*arguments, "--force").code == 0
        assert output.stat().st_size > 0
