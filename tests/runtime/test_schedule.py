"""The learning-rate schedule and its defaults."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import sartor
from sartor.contract.manifest import Manifest
from sartor.errors import DataError
from sartor.litert import open_model
from sartor.losses import Huber, Loss, MeanSquaredError, SigmoidCrossEntropy
from sartor.runtime.data.dataset import Dataset, training_dataset
from sartor.runtime.store import SampleSet
from sartor.runtime.training.schedule import DECAYS, Schedule, default_rate

Convert = Callable[..., Path]
MOMENTUM = sartor.SGD(momentum=0.9)


Batches = list[tuple[np.ndarray, np.ndarray]]


def batch(count: int, value: float = 1.0, features: int = 16) -> Batches:
    """Return a batch of equal rows."""
    return [(np.full((count, features), value), np.ones(count))]


@pytest.fixture
def manifest(tiny: Convert) -> Manifest:
    return open_model(tiny(batch_size=32, optimizer=MOMENTUM))


def test_the_rate_follows_from_the_largest_eigenvalue_of_a_batch(manifest: Manifest) -> None:
    """The bound is exact for equal rows, and near the eigenvalue for rows that differ."""
    assert default_rate(manifest, batch(5)) == default_rate(manifest, batch(1))
    rng = np.random.default_rng(0)
    for features in (4, 64, 1024):
        rows = rng.normal(size=(32, features)) * 2 / np.sqrt(features)
        weights = rng.uniform(0.1, 3, 32)
        extended = np.concatenate([rows, np.ones((32, 1))], 1)
        moments = (extended.T * weights / weights.sum()) @ extended
        largest = np.linalg.eigvalsh(moments)[-1]
        bound = 0.5 * 3.8 / manifest.loss.curvature / default_rate(manifest, [(rows, weights)])
        assert largest <= bound < 2.5 * largest
        several = default_rate(manifest, [(rows / 2, weights), (rows, weights)])
        assert several == default_rate(manifest, [(rows, weights)])


@pytest.mark.parametrize(
    ("indices", "samples"),
    [([0], 1), ([2, 2, 2], 3), ([0, 1] * 5, 10), ([0] * 50 + [3], 4 / (1 + 1 / 50))],
)
def test_a_class_of_one_sample_lowers_the_effective_sample_size(
    manifest: Manifest, indices: list[int], samples: float
) -> None:
    """Classes have equal weight; augmentations are not samples."""
    targets = np.eye(4, dtype=np.float32)[np.repeat(indices, 2)]
    ids = np.repeat(np.arange(len(indices)), 2)
    rows = SampleSet([targets], ids, targets, tuple("abcd"))
    samples_by_index = training_dataset(
        manifest, rows, {name: index for index, name in enumerate("abcd")}
    )
    assert samples_by_index.effective_sample_size == pytest.approx(samples)


def test_with_weights_per_output_each_sample_counts_once() -> None:
    ones = np.ones((6, 4), np.float32)
    dataset = Dataset([ones], ones, ones, np.array([1, 1, 2, 2, 9, 9]), ones[:, 0])
    assert dataset.sample_count == dataset.effective_sample_size == 3


def test_large_features_lower_the_rate(manifest: Manifest) -> None:
    one = default_rate(manifest, batch(10))
    assert default_rate(manifest, batch(10, 10.0)) == pytest.approx(one * 17 / 1601)
    assert default_rate(manifest, batch(10, features=32)) == pytest.approx(one * 17 / 33)


@pytest.mark.parametrize(
    ("optimizer", "largest"),
    [(sartor.SGD(), 2.0), (MOMENTUM, 3.8), (sartor.SGD(momentum=0.9, nesterov=True), 3.8 / 2.8)],
    ids=["plain", "momentum", "nesterov"],
)
def test_the_default_rate_is_half_of_the_largest_stable_one(
    tiny: Convert, optimizer: sartor.SGD, largest: float
) -> None:
    """Minimize a quadratic of the assumed curvature; at twice the rate it diverges."""
    manifest = open_model(tiny(head=sartor.MultiLabelClassifier(), optimizer=optimizer))
    peak = default_rate(manifest, batch(30), outputs=1)
    assert peak == pytest.approx(0.5 * largest / (17 / 4))
    assert abs(_after(optimizer, peak * 1.9, 17 / 4)) < 1e-3
    assert abs(_after(optimizer, peak * 2.1, 17 / 4)) > 1e3


def _after(optimizer: sartor.SGD, rate: float, curvature: float) -> float:
    w, velocity, mu = 1.0, 0.0, optimizer.momentum
    for _ in range(2000):
        gradient = curvature * w
        velocity = mu * velocity + gradient
        w -= rate * (gradient + mu * velocity if optimizer.nesterov else velocity)
        if abs(w) > 1e6:
            break
    return w


@pytest.mark.parametrize(
    ("loss", "peak"),
    [(SigmoidCrossEntropy(), 4.0 * 3.8), (MeanSquaredError(), 0.5 * 0.2), (Huber(), 0.2)],
    ids=lambda value: getattr(value, "name", ""),
)
def test_the_rate_is_inversely_proportional_to_the_curvature(
    tiny: Convert, loss: Loss, peak: float
) -> None:
    manifest = open_model(tiny(head=sartor.MLP(hidden=(4,), loss=loss), optimizer=MOMENTUM))
    for outputs in (1, 3):
        rate = default_rate(manifest, batch(30), outputs=outputs)
        assert rate == pytest.approx(outputs * peak * 0.5 / 17)
    assert default_rate(manifest, batch(9)) == default_rate(manifest, batch(9), outputs=4)


@pytest.mark.parametrize(("classes", "factor"), [(2, 1), (16, 1), (24, 1.5), (32, 2), (400, 2)])
def test_the_default_rate_is_higher_with_many_classes(
    manifest: Manifest, classes: int, factor: float
) -> None:
    one = default_rate(manifest, batch(30), outputs=1)
    assert default_rate(manifest, batch(30), outputs=classes) == pytest.approx(factor * one)


@pytest.mark.parametrize("optimizer", [sartor.Adam(), sartor.AdamW(), sartor.RMSprop()], ids=str)
def test_the_rate_of_an_adaptive_optimizer_changes_a_logit_by_one(
    tiny: Convert, optimizer: sartor.Adam | sartor.RMSprop
) -> None:
    adam = open_model(tiny("adaptive", optimizer=optimizer))
    assert default_rate(adam, batch(100, 2.0)) == pytest.approx(1 / 33)
    assert default_rate(adam, batch(1000, -2.0)) == pytest.approx(1 / 33)
    assert default_rate(adam, batch(10, 2.0), magnitude=50.0) == pytest.approx(50 / 33)


@pytest.mark.parametrize(
    ("decay", "half", "end"), [("cosine", 1.0, 0.0), ("linear", 1.0, 0.0), ("constant", 2.0, 2.0)]
)
def test_the_rate_decays(decay: str, half: float, end: float) -> None:
    schedule = Schedule(epochs=4, batches=5, peak=2.0, decay=decay)
    rates = [schedule.rate(step / schedule.steps) for step in range(20)]
    assert rates[0] == 2
    assert rates[10] == pytest.approx(half)
    assert rates == sorted(rates, reverse=True)
    assert schedule.rate(1.0) == schedule.rate(1.5) == pytest.approx(end)


def test_every_decay_is_tested() -> None:
    assert list(DECAYS) == ["cosine", "linear", "constant"]


def test_an_unknown_decay_is_refused() -> None:
    with pytest.raises(DataError, match="one of cosine, linear, constant; got 'square'"):
        Schedule(epochs=2, batches=3, peak=1.0, decay="square")
