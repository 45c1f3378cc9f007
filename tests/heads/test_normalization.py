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
NORMALIZED = sartor.SoftmaxClassifier(normalize=True)
HEADS: dict[str, Head] = {
    "softmax": sartor.SoftmaxClassifier(),
    "normalized": NORMALIZED,
    "multi_label": sartor.MultiLabelClassifier(),
    "regression": sartor.Regressor(),
    "mlp": sartor.MLP(hidden=(8,)),
    "mlp_numbers": sartor.MLP(hidden=(8,), loss=MeanSquaredError()),
    "cosine": sartor.CosineClassifier(),
}
LENGTHS = {"normalized": 0.4, "cosine": 10.0}
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

    def set_class(self, slot: int | None, rows: np.ndarray) -> None:
        """Imprint a class; without a class, compute statistics."""
        weights = np.zeros(ROWS, np.float32)
        weights[: len(rows)] = 1
        features = np.zeros((ROWS, rows.shape[1]), np.float32)
        features[: len(rows)] = rows
        chosen = np.zeros(CLASSES, np.float32)
        if slot is not None:
            chosen[slot] = 1
        given = {FEATURES: features, SAMPLE_WEIGHTS: weights, ACTIVE: np.ones(1, np.float32)}
        self._engine.run("set_class", {CLASS_ONE_HOT: chosen, **given})

    def train(self, rows: np.ndarray, slots: np.ndarray, rate: float) -> None:
        given = {**self._labelled(rows, slots), LEARNING_RATE: np.full(1, rate, np.float32)}
        self._engine.run("train", given)

    def outputs(self, rows: np.ndarray) -> np.ndarray:
        """[N, C]; N a multiple of the batch."""
        slots = np.zeros(ROWS, int)
        parts = np.split(rows, len(rows) // ROWS)
        found = [self._engine.run("evaluate", self._labelled(part, slots)) for part in parts]
        return np.concatenate([outputs[OUTPUT] for outputs in found])

    def _labelled(self, rows: np.ndarray, slots: np.ndarray) -> dict[str, np.ndarray]:
        shape = (ROWS, CLASSES) if self.manifest.weights_per_output else (ROWS,)
        labels = np.eye(CLASSES, dtype=np.float32)[slots]
        rows = np.asarray(rows, np.float32)
        return {FEATURES: rows, LABELS: labels, SAMPLE_WEIGHTS: np.ones(shape, np.float32)}


def samples(count: int, seed: int, spread: float = 1.0) -> tuple[np.ndarray, np.ndarray]:
    """Rows [count, UNITS] about one center a class, and the class of each."""
    rng = np.random.default_rng(seed)
    slots = np.arange(count) % CLASSES
    return CENTERS[slots] + spread * rng.normal(size=(count, UNITS)), slots


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
    given = rows.astype(np.float64)
    if head == "normalized":
        given *= 0.4 / np.linalg.norm(given, axis=1, keepdims=True)
    center = given.mean(0)
    spread = np.sqrt(((given - center) ** 2).sum(1).mean())
    np.testing.assert_allclose(after[CENTER], center, rtol=1e-4, atol=1e-5 * abs(given).max())
    np.testing.assert_allclose(after[SCALE], LENGTHS.get(head, 2.0) / spread, rtol=1e-3)
    assert model.manifest.head.feature_norm == LENGTHS.get(head, 2.0)
    changed = [name for name in before if not np.array_equal(before[name], after[name])]
    assert changed == [CENTER, SCALE]


@pytest.mark.parametrize(
    "rows",
    [np.zeros((3, UNITS)), np.ones((1, UNITS)), np.full((20, UNITS), 0.1), np.ones((0, UNITS)),
     1e30 * samples(12, 1)[0], 1e-30 * samples(12, 1)[0], np.full((9, UNITS), 1e30)],
    ids=["zeros", "one row", "all the same", "none", "huge", "tiny", "huge and the same"],
)  # fmt: skip
@pytest.mark.parametrize("head", HEADS)
def test_statistics_of_extreme_rows_are_finite(
    device: Callable[[str], Device], head: str, rows: np.ndarray
) -> None:
    model = device(head)
    model.set_class(None, rows)
    for slot in (0, 1):
        model.set_class(slot, rows[slot::2])
    for _ in range(3):
        given = np.resize(rows, (ROWS, UNITS)) if len(rows) else np.zeros((ROWS, UNITS))
        model.train(given, np.arange(ROWS) % 2, 0.1)
    assert all(np.isfinite(value).all() for value in model.state().values())
    assert np.isfinite(model.outputs(given)).all()


@pytest.mark.parametrize("head", HEADS)
@pytest.mark.parametrize(("size", "offset"), [(1e-6, 0), (1e6, 0), (0.1, 3), (50, -500)])
def test_scale_and_offset_of_features_have_no_effect(
    device: Callable[[str], Device], head: str, size: float, offset: float
) -> None:
    rows, slots = samples(ROWS, 1)
    if head == "normalized":  # brings each sample to one length first
        offset = 0
    found = []
    for given in (rows, size * rows + offset):
        model = device(head)
        model.set_class(None, given)
        for slot in range(CLASSES):
            model.set_class(slot, given[slots == slot])
        for _ in range(30):
            model.train(given, slots, 0.1)
        found.append(model.outputs(given))
    np.testing.assert_allclose(found[1], found[0], atol=2e-3)


def test_initial_statistics_change_nothing(device: Callable[[str], Device]) -> None:
    model = device("softmax")
    rows, slots = samples(ROWS, 1)
    for slot in range(CLASSES):
        model.set_class(slot, rows[slots == slot])
    state = model.state()
    logits = rows @ state["head/weights"].T + state["head/bias"]
    wanted = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    np.testing.assert_allclose(model.outputs(rows), wanted, atol=1e-5)


@pytest.mark.parametrize("head", ["softmax", "normalized"])
@pytest.mark.parametrize("count", [1, 5, 20])
def test_new_class_costs_trained_classes_less_than_a_point(
    tmp_path: Path, head: str, count: int
) -> None:
    """And it is found; were it not held back, they would lose up to two."""
    path = sartor.convert(wide_base(), classes=CLASSES, head=HEADS[head], batch_size=ROWS)
    model, (rows, slots) = Device(path.save(tmp_path / "model.tflite")), wide(20, 1)
    probe, known = wide(64, 2)
    lost, found = [], []
    for new in range(CLASSES):
        old = np.flatnonzero(slots != new)
        model.start()
        model.set_class(None, rows[old[:ROWS]])
        for slot in set(range(CLASSES)) - {new}:
            model.set_class(slot, rows[slots == slot])
        for step in range(150):
            part = np.random.default_rng(step).choice(old, ROWS, replace=False)
            model.train(rows[part], slots[part], 0.3 * (1 - step / 150))
        right = model.outputs(probe).argmax(1) == known
        model.set_class(new, rows[slots == new][:count])
        still = model.outputs(probe).argmax(1) == known
        lost.append(right[known != new].mean() - still[known != new].mean())
        found.append(still[known == new].mean())
    assert np.mean(lost) < 0.01
    assert np.mean(found) > {1: 0.05, 5: 0.3, 20: 0.6}[count]


def wide_base() -> bytes:
    """A base of 256 features."""
    graph = Graph("base")
    features = relu(graph.input("x", (1, WIDE)))
    graph.outputs = [fully_connected(features, np.ones((2, WIDE), np.float32))]
    model = Model()
    model.graphs.append(graph)
    return write(model)


def wide(count: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """As features of photos are: few samples of many numbers, and classes that overlap."""
    centers = 0.3 * np.random.default_rng(0).normal(size=(CLASSES, WIDE))
    slots = np.arange(count * CLASSES) % CLASSES
    noise = np.random.default_rng(seed).normal(size=(len(slots), WIDE))
    return 1 + centers[slots] + noise, slots
