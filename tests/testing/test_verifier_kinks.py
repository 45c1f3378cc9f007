"""The verifier accepts kinks of ReLUs and still detects wrong gradients.

It computes the loss in float64 where each op has a NumPy reference, otherwise in LiteRT.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from defects import Edit, change_assignment, edit_graphs
from model_tails import split_model

import sartor
from sartor import PersonalizableModel
from sartor.flatbuffer import write
from sartor.graph import Graph, Model
from sartor.heads import TFLite
from sartor.ops import ROWS, add, emit, mul, sub
from sartor.testing.verify import verify_contract

HIDDEN = "head/layer_1/weights"


def relu_head() -> bytes:
    """Return a head of two ReLU layers and four outputs."""
    graph, random = Graph("head"), np.random.default_rng(0)
    x = graph.input("x", (1, 16))
    for units in (64, 48, 4):
        weights = random.normal(size=(units, x.shape[1])) * np.sqrt(2 / x.shape[1])
        bias = np.zeros(units, np.float32)
        fused = int(units != 4)
        x = emit(
            "FULLY_CONNECTED", x, weights.astype(np.float32), bias, fusedActivationFunction=fused
        )
    graph.outputs = [x]
    model = Model()
    model.graphs.append(graph)
    return write(model)


@pytest.fixture(scope="module", params=[8, 32])
def conversion(tiny_base: bytes, request: pytest.FixtureRequest) -> PersonalizableModel:
    return sartor.convert(tiny_base, classes=4, batch_size=request.param, head=TFLite(relu_head()))


@pytest.fixture(scope="module")
def real_layers(shared_models: Path) -> PersonalizableModel:
    """Return a file that trains the last layers of a real model, with thousands of ReLUs."""
    base, head, features = split_model(shared_models / "vww_96_float.tflite", 5)
    return sartor.convert(base, classes=2, head=TFLite(head), features=features)


@pytest.fixture
def in_litert(monkeypatch: pytest.MonkeyPatch) -> None:
    """Remove the NumPy reference of an op of each head."""
    row = replace(ROWS["BATCH_MATMUL"], reference=None)
    monkeypatch.setitem(ROWS, "BATCH_MATMUL", row)


def scale_gradient(parameter: str, factor: float) -> Edit:
    return change_assignment(
        "train", parameter, lambda new, old: add(old, mul(sub(new, old), factor))
    )


def test_a_correct_file_passes_with_any_seed(conversion: PersonalizableModel) -> None:
    for seed in range(15):
        report = verify_contract(conversion.content, seed=seed)
        assert report.passed, (seed, report.failures)


@pytest.mark.usefixtures("in_litert")
def test_a_correct_file_without_references_passes(conversion: PersonalizableModel) -> None:
    for seed in range(5):
        report = verify_contract(conversion.content, seed=seed)
        assert report.passed, (seed, report.failures)


@pytest.mark.parametrize("factor", [0.99, 1.01, -1.0])
def test_a_wrong_gradient_fails(conversion: PersonalizableModel, factor: float) -> None:
    content = edit_graphs(conversion, scale_gradient(HIDDEN, factor))
    for seed in range(5):
        failures = {check.name for check in verify_contract(content, seed=seed).failures}
        assert f"gradient of {HIDDEN}" in failures, seed


@pytest.mark.usefixtures("in_litert")
@pytest.mark.parametrize("factor", [0.95, 1.05, -1.0])
def test_a_wrong_gradient_without_references_fails(
    conversion: PersonalizableModel, factor: float
) -> None:
    content = edit_graphs(conversion, scale_gradient(HIDDEN, factor))
    for seed in range(5):
        failures = {check.name for check in verify_contract(content, seed=seed).failures}
        assert f"gradient of {HIDDEN}" in failures, seed


def test_layers_of_a_real_model_pass(real_layers: PersonalizableModel) -> None:
    for seed in range(3):
        report = verify_contract(real_layers.content, seed=seed)
        assert report.passed, (seed, report.failures)


@pytest.mark.parametrize("parameter", ["layer_1/weights", "layer_4/bias"])
def test_a_wrong_gradient_of_a_real_model_fails(
    real_layers: PersonalizableModel, parameter: str
) -> None:
    content = edit_graphs(real_layers, scale_gradient(f"head/{parameter}", 1.01))
    failures = {check.name for check in verify_contract(content).failures}
    assert failures == {f"gradient of head/{parameter}"}
