"""Losses: their curvature, and custom losses."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import sartor
from sartor.errors import ConversionError
from sartor.graph import DType, Graph, Tensor
from sartor.litert import open_model
from sartor.losses import (
    Huber,
    Loss,
    MeanSquaredError,
    SigmoidCrossEntropy,
    SoftmaxCrossEntropy,
    check_loss,
)
from sartor.ops import add, evaluate, exp, log_softmax, mul, neg, reduce_sum, softmax, square, sub
from sartor.runtime.training.schedule import default_rate
from sartor.testing.verify import verify_contract

Convert = Callable[..., Path]
BATCH, CLASSES = 40, 3
LOSSES = [
    SoftmaxCrossEntropy(),
    SoftmaxCrossEntropy(label_smoothing=0.3),
    SigmoidCrossEntropy(),
    MeanSquaredError(),
    Huber(2.0),
]


@dataclass(frozen=True)
class Focal:
    """Focal loss (Lin et al., 2017) with γ = 2."""

    name = "focal"
    task = "classification"
    weights_per_output = False
    curvature = 2 / 3

    def settings(self) -> Mapping[str, Any]:
        return {}

    def output(self, logits: Tensor, mask: Tensor) -> Tensor:
        return mul(softmax(self._masked(logits, mask)), mask, name="output")

    def rows(self, logits: Tensor, labels: Tensor, mask: Tensor) -> Tensor:
        log_softmaxes = log_softmax(self._masked(logits, mask))
        log_p = reduce_sum(mul(mul(labels, mask), log_softmaxes), [1])
        return mul(square(sub(1.0, exp(log_p))), neg(log_p))

    def _masked(self, logits: Tensor, mask: Tensor) -> Tensor:
        return add(logits, mul(sub(mask, 1.0), 1e9))


@pytest.mark.parametrize("loss", [*LOSSES, Focal()], ids=str)
def test_the_second_derivative_by_a_logit_is_at_most_the_curvature(loss: Loss) -> None:
    step = 1e-2
    rng = np.random.default_rng(0)
    logits = 4 * rng.standard_normal((BATCH, CLASSES))
    labels = np.eye(CLASSES)[rng.integers(0, CLASSES, BATCH)]
    middle = _rows(loss, logits, labels)
    for index in range(CLASSES):
        shift = step * np.eye(CLASSES)[index]
        rows = [_rows(loss, logits + sign * shift, labels) for sign in (1, -1)]
        second = (rows[0] - 2 * middle + rows[1]) / step**2
        assert second.max() <= loss.curvature + 1e-3


def _rows(loss: Loss, logits: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Return the loss of each sample or output, in float64."""
    graph = Graph("loss")
    inputs = {
        name: graph.input(name, value.shape, DType.FLOAT32)
        for name, value in (("logits", logits), ("labels", labels))
    }
    mask = graph.input("mask", (CLASSES,), DType.FLOAT32)
    rows = loss.rows(inputs["logits"], inputs["labels"], mask)
    values = evaluate(
        graph, {inputs["logits"]: logits, inputs["labels"]: labels, mask: np.ones(CLASSES)}
    )
    return np.asarray(values[rows])


def test_a_custom_loss_can_be_trained_at_the_rate_of_its_curvature(tiny: Convert) -> None:
    custom = tiny("custom", head=sartor.MLP(hidden=(6,), loss=Focal()))
    built_in = tiny("built-in", head=sartor.MLP(hidden=(6,)))
    report = verify_contract(custom)
    assert report.passed, report.failures
    batches = [(np.ones((20, 16)), np.ones(20))]
    peaks = [default_rate(open_model(path), batches) for path in (custom, built_in)]
    assert peaks[0] == pytest.approx(peaks[1] / 2)
    assert open_model(custom).loss.name == "focal"
    rng = np.random.default_rng(0)
    with sartor.PersonalModel(custom) as model:
        for center, label in ((-2, "low"), (2, "high")):
            for row in center + rng.normal(size=(10, 1, 8)):
                model.add_sample(row.astype(np.float32), label)
        model.fit()
        assert model.predict(np.full((1, 8), 2, np.float32))[0].label == "high"


class NoCurvature:
    name = "focal"
    task = "classification"
    weights_per_output = False

    settings, output, rows = Focal.settings, Focal.output, Focal.rows


class ZeroCurvature(NoCurvature):
    curvature = 0.0


@pytest.mark.parametrize(
    ("loss", "message"),
    [
        (NoCurvature(), r"loss must be an instance of Loss.*which lacks curvature \(see .*Loss\)"),
        (ZeroCurvature(), "curvature must be above 0 and finite, got 0.0"),
        (Focal, "got the class Focal"),
        ("huber", "such as Huber.*got 'huber'"),
    ],
)
def test_a_wrong_loss_is_refused_at_conversion(loss: Any, message: str) -> None:
    with pytest.raises(ConversionError, match=message):
        check_loss(loss, "loss")
    with pytest.raises(ConversionError, match=message):
        sartor.MLP(loss=loss)


@pytest.mark.parametrize("task", ["ranking", "regression"])
def test_a_loss_whose_task_no_runtime_accepts_is_refused(task: str, tiny_base: bytes) -> None:
    loss = type("Contradiction", (Focal,), {"task": task})()
    with pytest.raises(ConversionError, match=r"correct the attributes of .*'focal'"):
        sartor.convert(tiny_base, classes=3, head=sartor.MLP(loss=loss))
