"""`sartor convert --head FILE`: a custom head."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from commands import Run

from sartor.flatbuffer import write
from sartor.graph import Graph, Model
from sartor.ops import fully_connected, relu


@pytest.fixture
def base(image_base: bytes, tmp_path: Path) -> Path:
    path = tmp_path / "base.tflite"
    path.write_bytes(image_base)
    return path


@pytest.fixture
def head(tmp_path: Path) -> Path:
    """Return a head from 16 features to 3 classes."""
    graph, random = Graph("head"), np.random.default_rng(0)
    x = graph.input("x", (1, 16))
    hidden = relu(fully_connected(x, random.normal(size=(8, 16)).astype(np.float32)))
    graph.outputs = [fully_connected(hidden, random.normal(size=(3, 8)).astype(np.float32))]
    model = Model()
    model.graphs.append(graph)
    path = tmp_path / "head.tflite"
    path.write_bytes(write(model))
    return path


def test_a_file_can_be_a_head(base: Path, head: Path, tmp_path: Path, run: Run) -> None:
    output = tmp_path / "out.tflite"
    result = run("convert", base, "-o", output, "--classes", "a,b", "--head", head, "--json")
    assert result.code == 0, result
    assert result.json["classes"] == ["a", "b", None]
    assert result.json["head"]["settings"]["ops"] == ["FULLY_CONNECTED", "RELU", "FULLY_CONNECTED"]
    assert run("verify", output).code == 0


def test_a_head_file_that_does_not_fit_is_refused(
    base: Path, head: Path, tmp_path: Path, run: Run
) -> None:
    output = tmp_path / "out.tflite"
    common = ("convert", base, "-o", output, "--head")
    assert "a capacity of 5 classes" in run(*common, head, "--classes", 5).error
    assert "missing.tflite" in run(*common, tmp_path / "missing.tflite", "--classes", 3).error
    failure = run(*common, head, "--classes", 3, "--hidden", 8)
    assert failure.code == 2
    assert "--hidden" in failure.err
    assert not output.exists()
