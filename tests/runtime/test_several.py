"""Bases with several inputs, cut at several tensors."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from blobs import LABELS, blobs

import sartor
from sartor import PersonalModel
from sartor.errors import DataError
from sartor.flatbuffer import write
from sartor.graph import DType, Graph, Model, Op


@pytest.fixture
def two(tmp_path: Path) -> Path:
    """Square `left` [1, 5] and `right` [1, 3], and concatenate them before a dense layer."""
    model, graph = Model(), Graph("main")
    model.graphs.append(graph)
    squares = []
    for name, size in (("left", 5), ("right", 3)):
        square = graph.tensor(f"{name}_square", DType.FLOAT32, (1, size))
        graph.add(Op("SQUARE", (graph.input(name, (1, size)),), (square,)))
        squares.append(square)
    joined = graph.tensor("joined", DType.FLOAT32, (1, 8))
    graph.add(
        Op("CONCATENATION", squares, (joined,), options={"axis": 1},
           options_type="ConcatenationOptions")
    )  # fmt: skip
    weights, bias = graph.constant(np.ones((2, 8), np.float32)), graph.constant(np.ones(2, "f"))
    logits = graph.tensor("logits", DType.FLOAT32, (1, 2))
    graph.add(
        Op("FULLY_CONNECTED", (joined, weights, bias), (logits,), options={},
           options_type="FullyConnectedOptions")
    )  # fmt: skip
    graph.outputs = [logits]
    cut = ["left_square", "right_square"]
    return sartor.convert(write(model), classes=3, features=cut).save(tmp_path / "two.tflite")


def split(sample: np.ndarray) -> dict[str, np.ndarray]:
    return {"left": sample[:, :5], "right": sample[:, 5:]}


def test_a_model_with_two_inputs_and_two_features_learns(two: Path, tmp_path: Path) -> None:
    with PersonalModel(two) as model:
        assert [spec.name for spec in model.manifest.features] == ["features", "features_1"]
        for sample, label in blobs(10):
            model.add_sample(split(sample), label)
        model.fit()
        test = [(split(sample), label) for sample, label in blobs(20, seed=2)]
        assert model.classes == LABELS
        assert model.evaluate(test).accuracy > 0.95
        before = model.predict(test[0][0])
        model.save(tmp_path / "mine.safetensors")
    with PersonalModel(two) as model:
        model.load(tmp_path / "mine.safetensors")
        assert model.predict(test[0][0]) == before
        with pytest.raises(DataError, match=r"inputs are left, right; got left"):
            model.predict({"left": test[0][0]["left"]})
        with pytest.raises(DataError, match="got one value without a name"):
            model.predict(test[0][0]["left"])
