"""The runtime against a second implementation of docs/recipe.md, on the same data and seed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import plain
import plain_training
import pytest
from plain import Rows
from plain_detector import Detector

import sartor
from sartor import PersonalModel
from sartor.litert import Engine
from sartor.runtime.confidence.out_of_distribution import OODDetector
from sartor.runtime.training import fit
from sartor.runtime.training.data import TrainingData
from sartor.runtime.training.validation import Selection, select_stage

Convert = Callable[..., Path]
Sample = tuple[np.ndarray, dict[str, float]]
"""Features of a sample and of its augmentations, float32 [n, 16]; class name → target."""

FEATURES = 16


def blobs(
    counts: Sequence[int], *, noise: float = 1.0, rows: int = 1, seed: int = 0
) -> list[Sample]:
    """Draw samples of each class, in random order."""
    rng = np.random.default_rng(seed)
    centers = rng.normal(size=(len(counts), FEATURES)) + 1
    labels = rng.permutation(np.repeat(np.arange(len(counts)), counts))
    shape = (rows, FEATURES)
    return [
        ((centers[c] + noise * rng.normal(size=shape)).astype(np.float32), {f"class {c}": 1.0})
        for c in labels
    ]


def bursts(classes: int, count: int, frames: int, seed: int = 0) -> list[Sample]:
    """Draw samples that are near-duplicates of each other in bursts."""
    rng = np.random.default_rng(seed)
    return [
        (features + (0.1 * rng.normal(size=features.shape)).astype(np.float32), targets)
        for features, targets in blobs([count] * classes, seed=seed)
        for _ in range(frames)
    ]


def several_labels(count: int, frames: int = 1, seed: int = 0) -> list[Sample]:
    """Draw samples with several labels each; some targets are missing, so that frames differ."""
    rng = np.random.default_rng(seed)
    directions = rng.normal(size=(3, FEATURES))
    samples: list[Sample] = []
    for _ in range(count):
        targets = rng.random(3) < 0.5
        features = targets @ directions + 0.7 * rng.normal(size=(1, FEATURES))
        for _ in range(frames):
            frame = features + 0.05 * rng.normal(size=features.shape)
            present = {f"class {c}": float(targets[c]) for c in range(3) if rng.random() < 0.8}
            present = present or {"class 0": float(targets[0])}
            samples.append((frame.astype(np.float32), present))
    return samples


@dataclass(frozen=True)
class Case:
    samples: list[Sample]
    settings: dict[str, object]
    seed: int = 0


CASES = {
    "balanced": Case(blobs([10, 10, 10]), {}),
    "a large seed": Case(blobs([10, 10, 10]), {}, seed=2**32 + 3),
    "imbalanced": Case(blobs([30, 5, 2], noise=1.5, seed=1), {}),
    "similar classes": Case(blobs([20, 20, 20, 20], noise=4.0, seed=2), {}),
    "bursts": Case(bursts(3, 6, 4), {}),
    "one burst of a class": Case(bursts(2, 6, 2) + bursts(3, 1, 3, seed=5), {}),
    "one sample per class": Case(blobs([1, 1, 1]), {}),
    "one class": Case(blobs([8]), {}),
    "many rows": Case(blobs([250, 160], noise=3.0), {"batch_size": 32}),
    "augmentations": Case(blobs([8, 6, 4], rows=3, noise=2.0), {}),
    "SGD": Case(blobs([6, 6, 3], noise=3.0), {"optimizer": sartor.SGD()}),
    "Nesterov": Case(blobs([6, 6, 3]), {"optimizer": sartor.SGD(momentum=0.9, nesterov=True)}),
    "Adam": Case(blobs([6, 6, 3]), {"optimizer": sartor.Adam()}),
    "AdamW": Case(blobs([6, 6, 3]), {"optimizer": sartor.AdamW()}),
    "several labels": Case(several_labels(40), {"head": sartor.MultiLabelClassifier()}),
    "several labels, classes of the file": Case(
        several_labels(16, frames=3),
        {"head": sartor.MultiLabelClassifier(), "classes": ["class 2", "class 0", "class 1"]},
    ),
    "classes of the file": Case(
        blobs([9, 6, 3]), {"classes": ["class 2", "class 0", "class 1"]}, seed=3
    ),
}


def rows_of(model: PersonalModel, samples: Sequence[Sample]) -> Rows:
    """Return samples as the second implementation takes them."""
    features, targets, numbers = [], [], []
    for number, (rows, present) in enumerate(samples):
        for row in rows.astype(np.float16):  # as the store keeps them
            features.append(row)
            numbers.append(number)
            target = np.full(len(model.classes), np.nan)
            if model.manifest.task == "classification":
                target[:] = 0
            for name, value in present.items():
                target[model.classes.index(name)] = value
            targets.append(target)
    is_single = model.manifest.task == "classification"
    return Rows(np.asarray(features, float), np.asarray(targets), np.asarray(numbers), is_single)


def fill(model: PersonalModel, samples: Sequence[Sample]) -> None:
    for features, targets in samples:
        model._samples.add_features([[row[np.newaxis]] for row in features], targets)


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_fit_follows_the_recipe(tiny: Convert, case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    groups, selections = [], []

    def record(model: Any, config: Any, data: TrainingData, *others: Any) -> Selection:
        selection = select_stage(model, config, data, *others)
        assert selection is not None
        groups.append(data.groups)
        selections.append(selection)
        return selection

    monkeypatch.setattr(fit, "select_stage", record)
    path = tiny(**case.settings)
    with PersonalModel(path) as model:
        fill(model, case.samples)
        history = model.fit(seed=case.seed)
        rows, manifest = rows_of(model, case.samples), model.manifest
        variables, detector = model._state.engine.variables(), model._state._detector
    expected = plain_training.fit(Engine(path, manifest), manifest, rows, case.seed)

    (selection,), (group_of_row,) = selections, groups
    assert (group_of_row == numbered(plain.groups(rows), len(rows))).all()
    assert selection.stages == expected.last + 1
    assert (selection.assigned == numbered(expected.masks, len(rows))).all()
    names = variables if len(model.classes) > 1 else ["temperature"]  # of one, rounding errors
    for name in names:
        np.testing.assert_allclose(
            variables[name], expected.variables[name], 1e-4, 1e-4, err_msg=name
        )
    assert history.expected_accuracy == pytest.approx(expected.expected_accuracy)
    if expected.calibration_error is None:
        assert history.calibration_error is None
    else:
        assert history.calibration_error == pytest.approx(expected.calibration_error, abs=1e-4)
    assert (detector is None) == (expected.detector is None)
    if detector is not None and expected.detector is not None:
        assert detector.threshold == pytest.approx(expected.detector.threshold, abs=1e-4)
        assert detector.entropy_weight == pytest.approx(expected.detector.ratio, abs=1e-4)
        assert_same_decisions(detector, expected.detector, rows)


def numbered(parts: Sequence[np.ndarray], count: int) -> np.ndarray:
    """Return the number of the part of each row; −1 for a row of no part."""
    numbers = np.full(count, -1)
    for number, part in enumerate(parts):
        numbers[part] = number
    return numbers


def assert_same_decisions(detector: OODDetector, expected: Detector, rows: Rows) -> None:
    """Compare the decisions on training samples, their opposites and noise, with random outputs."""
    rng, samples = np.random.default_rng(0), rows.features[:40]
    features = np.concatenate([samples, -samples, rng.normal(size=(40, FEATURES))])
    outputs = rng.dirichlet(np.ones(rows.targets.shape[1]), len(features))
    decisions = []
    for x, p in zip(features, outputs, strict=True):
        row = [x[np.newaxis].astype(np.float32)]
        decisions.append(detector.is_in_distribution(row, p[np.newaxis].astype(np.float32)))
        assert decisions[-1] == expected.contains(x, p)
    assert len(set(decisions)) == 2


@pytest.mark.parametrize("head", [sartor.SoftmaxClassifier(), sartor.CosineClassifier()], ids=str)
@pytest.mark.parametrize("counts", [(5, 3, 2), (1, 1), (4,)], ids=str)
def test_imprinting_follows_the_recipe(tiny: Convert, head: object, counts: Sequence[int]) -> None:
    samples = blobs(counts, rows=2)
    path = tiny(head=head)
    with PersonalModel(path) as model:
        fill(model, samples)
        rows, manifest = rows_of(model, samples), model.manifest
        variables = model._state.engine.variables()
    expected = plain_training.imprint(Engine(path, manifest), manifest, rows)
    for name, value in variables.items():
        np.testing.assert_allclose(value, expected[name], 1e-5, 1e-5, err_msg=name)


def test_the_rate_of_adam_does_not_depend_on_the_capacity(tiny: Convert) -> None:
    rates = []
    for classes in (3, 30):
        with PersonalModel(tiny(classes=classes, optimizer=sartor.Adam())) as model:
            fill(model, blobs([4, 4, 4]))
            rates.append(model.fit(1, decay="constant").epochs[0].learning_rate)
    assert rates[0] == rates[1]
