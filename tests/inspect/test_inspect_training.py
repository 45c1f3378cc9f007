"""The predicted cost of training in `sartor inspect`."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import pytest
from inspect_helpers import command, layer, model_of, op, residual, width
from test_inspect_command import to_json

import sartor
from sartor.errors import ConversionError
from sartor.graph import Graph
from sartor.inspection import ModelDescription, TrainingPrediction

Capture = pytest.CaptureFixture[str]


@pytest.fixture
def small(tmp_path: Path) -> Path:
    path = tmp_path / "model.tflite"
    path.write_bytes(residual("SOFTMAX"))
    return path


def prediction(path: Path, **options: object) -> TrainingPrediction:
    description = sartor.describe(path, **{"classes": 5, **options})  # type: ignore[arg-type]
    assert isinstance(description, ModelDescription)
    assert description.training is not None
    return description.training


def test_depths_of_a_small_model(small: Path) -> None:
    costs = prediction(small, batch_size=4)
    assert (costs.classes, costs.batch_size, costs.optimizer, costs.layers) == (5, 4, "adam", 2)
    assert [depth.last for depth in costs.depths] == [0, 1, 2]  # a and b; the head replaces c
    assert [depth.cost.sample_bytes for depth in costs.depths] == [12, 12, 8]  # 6, 6, 4 of float16
    head = 5 * 6 + 5
    assert [depth.cost.parameters for depth in costs.depths] == [
        head, head + 6 * 6 + 6, head + 6 * 6 + 6 + 6 * 4 + 6
    ]  # fmt: skip
    assert costs.end is None


def test_without_classes_nothing_is_predicted(small: Path) -> None:
    description = sartor.describe(small)
    assert isinstance(description, ModelDescription)
    assert description.training is None


def test_json_has_the_prediction(small: Path, capfd: Capture) -> None:
    options = ("--classes", 5, "--batch-size", 4, "--optimizer", "rmsprop", "--json")
    code, out, _ = command(capfd, "inspect", small, *options)
    training = json.loads(out)["training"]
    assert code == 0
    assert training == to_json(asdict(prediction(small, batch_size=4, optimizer=sartor.RMSprop())))


@pytest.mark.parametrize("options", [(), ("--all",)])
def test_lines_have_at_most_60_columns(
    shared_models: Path, options: tuple[str, ...], capfd: Capture
) -> None:
    path = shared_models / "vww_96_int8.tflite"
    _, out, _ = command(capfd, "inspect", path, "--classes", "3", *options)
    table = out[out.index("training 3 classes, batch 32, adam") :].splitlines()
    assert all(width(line) <= 60 for line in table)
    assert sum(line.startswith("│") for line in table) == (28 if options else 12)
    assert any("16 more rows: use --all" in line for line in table) == (not options)


def test_the_layer_that_cannot_be_trained_ends_the_table(tmp_path: Path, capfd: Capture) -> None:
    graph = Graph("main")
    a = layer(graph, graph.input("x", (1, 4)), 6, "a")
    b = layer(graph, op(graph, "SIGN", (a,), "sign"), 6, "b")
    graph.outputs = [layer(graph, b, 3, "c")]
    path = tmp_path / "model.tflite"
    path.write_bytes(model_of(graph))
    assert [depth.last for depth in prediction(path).depths] == [0, 1]
    _, out, _ = command(capfd, "inspect", path, "--classes", "3")
    assert "more layers cannot be trained: " in out
    assert "the gradient of <FLOAT32 [6, 4] 'a/weights'> is zero" in " ".join(out.split())


def test_ids_cannot_be_features(shared_cases: Path) -> None:
    costs = prediction(shared_cases / "models" / "text_transformer_int32.tflite")
    assert costs.end is not None
    assert "no cut of at most 4 float or quantized tensors" in costs.end
    assert 0 < len(costs.depths) < costs.layers + 1


def test_only_models_are_trained(small: Path, tmp_path: Path) -> None:
    model = sartor.PersonalModel(sartor.convert(small, classes=2).save(tmp_path / "p.tflite"))
    saved = model.save(tmp_path / "p.safetensors")
    model.close()
    with pytest.raises(ConversionError, match="not a model"):
        sartor.describe(saved or tmp_path / "p.safetensors", classes=2)
    with pytest.raises(ConversionError, match="batch_size"):
        sartor.describe(small, classes=2, batch_size=0)
    with pytest.raises(ConversionError, match="layers"):
        sartor.describe(small, classes=2, layers=-1)
