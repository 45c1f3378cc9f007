"""Normalization of features by center and scale."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import sartor
from sartor.contract.names import (
    ACTIVE,
    CENTER,
    CLASS_ONE_HOT,
    FEATURES,
    LABELS,
    LEARNING_RATE,
    OUTPUT,
    RUN,
    SAMPLE_WEIGHTS,
    SCALE,
)
from sartor.flatbuffer import write
from sartor.graph import Graph, Model
from sartor.heads import Head
from sartor.litert import Engine, open_model
from sartor.losses import MeanSquaredError
from sartor.ops import fully_connected, relu

Convert = Callable[..., Path]

ROWS, UNITS, CLASSES, WIDE = 32, 16, 10, 256
HEADS: dict[str, Head] = {
    "softmax": sartor.SoftmaxClassifier(),
    "multi_label": sartor.MultiLabelClassifier(),
    "regression": sartor.Regressor(),
    "mlp": sartor.MLP(hidden=(8,)),
    "mlp_numbers": sartor.MLP(hidden=(8,), loss=MeanSquaredError()),
    "cosine": sartor.CosineClassifier(),
}
LENGTHS = {"cosine": 10.0}
RNG = np.random.default_rng(0)
CENTERS = RNG.normal(size=(CLASSES, UNITS))


class Device:
    """One converted file, called by signature."""

    def __init__(self, path: Path) -> None:
        self.manifest = open_model(path)
        self._engine = Engine(path, self.manifest, threads=1)
        self.start()

    def start(self) -> None:
        self._engine.run("initialize", {RUN: np.ones(1, np.float32)})

    def state(self) -> dict[str, np.ndarray]:
        return self._engine.variables()

    def set_class(self, index: int | None, rows: np.ndarray) -> None:
        """Imprint a class; without a class, compute statistics."""
        weights = np.zeros(ROWS, np.float32)
        weights[: len(rows)] = 1
        features = np.zeros((ROWS, rows.shape[1]), np.float32)
        features[: len(rows)] = rows
        one_hot = np.zeros(CLASSES, np.float32)
        if index is not None:
            one_hot[index] = 1
        inputs = {FEATURES: features, SAMPLE_WEIGHTS: weights, ACTIVE: np.ones(1, np.float32)}
        self._engine.run("set_class", {CLASS_ONE_HOT: one_hot, **inputs})

    def train(
        self, rows: np.ndarray, labels: np.ndarray, rate: float, smoothing: np.ndarray | float = 0
    ) -> None:
        """Train one step; `smoothing` [C] is added to the targets, and its sum taken from them."""
        inputs = {**self._labelled(rows, labels), LEARNING_RATE: np.full(1, rate, np.float32)}
        targets = inputs[LABELS] * (1 - np.sum(smoothing)) + smoothing
        self._engine.run("train", {**inputs, LABELS: targets.astype(np.float32)})

    def outputs(self, rows: np.ndarray) -> np.ndarray:
        """Return the outputs [N, C]; N is a multiple of the batch size."""
        labels = np.zeros(ROWS, int)
        parts = np.split(rows, len(rows) // ROWS)
        results = [self._engine.run("evaluate", self._labelled(part, labels)) for part in parts]
        return np.concatenate([outputs[OUTPUT] for outputs in results])

    def _labelled(self, rows: np.ndarray, labels: np.ndarray) -> dict[str, np.ndarray]:
        shape = (ROWS, CLASSES) if self.manifest.weights_per_output else (ROWS,)
        one_hots = np.eye(CLASSES, dtype=np.float32)[labels]
        rows = np.asarray(rows, np.float32)
        return {FEATURES: rows, LABELS: one_hots, SAMPLE_WEIGHTS: np.ones(shape, np.float32)}


def samples(count: int, seed: int, spread: float = 1.0) -> tuple[np.ndarray, np.ndarray]:
    """Return rows [count, UNITS] around the center of each class, and their labels."""
    rng = np.random.default_rng(seed)
    labels = np.arange(count) % CLASSES
    return CENTERS[labels] + spread * rng.normal(size=(count, UNITS)), labels


@pytest.fixture
def device(tiny: Convert) -> Callable[[str], Device]:
    def make(head: str) -> Device:
        return Device(tiny(head, classes=CLASSES, head=HEADS[head], batch_size=ROWS))

    return make


@pytest.mark.parametrize("head", HEADS)
@pytest.mark.parametrize(("size", "offset"), [(1, 0), (1e-3, 0.01), (1e3, 1e4)])
def test_statistics_are_the_mean_and_the_norm(
    device: Callable[[str], Device], head: str, size: float, offset: float
) -> None:
    model, rows = device(head), (size * samples(20, 1)[0] + offset).astype(np.float32)
    before = model.state()
    model.set_class(None, rows)
    after = model.state()
    expected_rows = rows.astype(np.float64)
    center = expected_rows.mean(0)
    spread = np.sqrt(((expected_rows - center) ** 2).sum(1).mean())
    np.testing.assert_allclose(
        after[CENTER], center, rtol=1e-4, atol=1e-5 * abs(expected_rows).max()
    )
    np.testing.assert_allclose(after[SCALE], LENGTHS.get(head, 2.0) / spread, rtol=1e-3)
    norm = None if head.startswith("mlp") else LENGTHS.get(head, 2.0)
    assert model.manifest.head.feature_norm == norm
    changed_names = [name for name in before if not np.array_equal(before[name], after[name])]
    assert changed_names == [CENTER, SCALE]


@pytest.mark.parametrize(
    "rows",
    [np.zeros((3, UNITS)), np.ones((1, UNITS)), np.full((20, UNITS), 0.1), np.ones((0, UNITS)),
     1e30 * samples(12, 1)[0], 1e-30 * samples(12, 1)[0], np.full((9, UNITS), 1e30)],
    ids=["zeros", "one row", "equal rows", "none", "huge", "tiny", "huge and equal"],
)  # fmt: skip
@pytest.mark.parametrize("head", HEADS)
def test_statistics_of_extreme_rows_are_finite(
    device: Callable[[str], Device], head: str, rows: np.ndarray
) -> None:
    model = device(head)
    model.set_class(None, rows)
    for index in (0, 1):
        model.set_class(index, rows[index::2])
    for _ in range(3):
        batch = np.resize(rows, (ROWS, UNITS)) if len(rows) else np.zeros((ROWS, UNITS))
        model.train(batch, np.arange(ROWS) % 2, 0.1)
    assert all(np.isfinite(value).all() for value in model.state().values())
    assert np.isfinite(model.outputs(batch)).all()


@pytest.mark.parametrize("head", HEADS)
@pytest.mark.parametrize(("size", "offset"), [(1e-6, 0), (1e6, 0), (0.1, 3), (50, -500)])
def test_scale_and_offset_of_features_have_no_effect(
    device: Callable[[str], Device], head: str, size: float, offset: float
) -> None:
    rows, labels = samples(ROWS, 1)
    outputs = []
    for features in (rows, size * rows + offset):
        model = device(head)
        model.set_class(None, features)
        for index in range(CLASSES):
            model.set_class(index, features[labels == index])
        for _ in range(30):
            model.train(features, labels, 0.1)
        outputs.append(model.outputs(features))
    np.testing.assert_allclose(outputs[1], outputs[0], atol=2e-3)


def test_initial_statistics_change_nothing(device: Callable[[str], Device]) -> None:
    model = device("softmax")
    rows, labels = samples(ROWS, 1)
    for index in range(CLASSES):
        model.set_class(index, rows[labels == index])
    state = model.state()
    logits = rows @ state["head/weights"].T + state["head/bias"]
    expected = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    np.testing.assert_allclose(model.outputs(rows), expected, atol=1e-5)


@pytest.mark.parametrize("count", [1, 5, 20])
def test_new_class_costs_the_others_less_than_a_point(tmp_path: Path, count: int) -> None:
    """The new class is predicted too, more often with more samples."""
    path = sartor.convert(wide_base(), classes=CLASSES, batch_size=ROWS)
    model, (rows, labels) = Device(path.save(tmp_path / "model.tflite")), overlapping_samples(20, 1)
    probe, probe_labels = overlapping_samples(64, 2)
    losses, accuracies = [], []
    for new in range(CLASSES):
        old = np.flatnonzero(labels != new)
        model.start()
        model.set_class(None, rows[old[:ROWS]])
        for index in set(range(CLASSES)) - {new}:
            model.set_class(index, rows[labels == index])
        smoothing = 0.3 / (CLASSES - 1) * (np.arange(CLASSES) != new)
        for step in range(150):
            part = np.random.default_rng(step).choice(old, ROWS, replace=False)
            model.train(rows[part], labels[part], 0.3 * (1 - step / 150), smoothing)
        is_correct = model.outputs(probe).argmax(1) == probe_labels
        model.set_class(new, rows[labels == new][:count])
        is_correct_after = model.outputs(probe).argmax(1) == probe_labels
        losses.append(
            is_correct[probe_labels != new].mean() - is_correct_after[probe_labels != new].mean()
        )
        accuracies.append(is_correct_after[probe_labels == new].mean())
    assert np.mean(losses) < 0.01
    assert np.mean(accuracies) > {1: 0.01, 5: 0.1, 20: 0.3}[count]


def wide_base() -> bytes:
    """Return a base of 256 features."""
    graph = Graph("base")
    features = relu(graph.input("x", (1, WIDE)))
    graph.outputs = [fully_connected(features, np.ones((2, WIDE), np.float32))]
    model = Model()
    model.graphs.append(graph)
    return write(model)


def overlapping_samples(count: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return samples like features of photos: few, with many units and overlapping classes."""
    centers = 0.3 * np.random.default_rng(0).normal(size=(CLASSES, WIDE))
    labels = np.arange(count * CLASSES) % CLASSES
    noise = np.random.default_rng(seed).normal(size=(len(labels), WIDE))
    return 1 + centers[labels] + noise, labels
