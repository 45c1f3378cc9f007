"""The verifier accepts kinks of ReLUs and still detects wrong gradients."""

from __future__ import annotations

import numpy as np
import pytest
from defects import change_assignment, edit_graphs

import sartor
from sartor import PersonalizableModel
from sartor.flatbuffer import write
from sartor.graph import Graph, Model
from sartor.heads import TFLite
from sartor.ops import add, emit, mul, sub
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


def test_a_correct_file_passes_with_any_seed(conversion: PersonalizableModel) -> None:
    for seed in range(15):
        report = verify_contract(conversion.content, seed=seed)
        assert report.passed, (seed, report.failures)


@pytest.mark.parametrize("factor", [0.95, 1.05, -1.0])
def test_a_wrong_gradient_fails(conversion: PersonalizableModel, factor: float) -> None:
    edit = change_assignment("train", HIDDEN, lambda new, old: add(old, mul(sub(new, old), factor)))
    content = edit_graphs(conversion, edit)
    for seed in range(5):
        failures = {check.name for check in verify_contract(content, seed=seed).failures}
        assert f"gradient of {HIDDEN}" in failures, seed
