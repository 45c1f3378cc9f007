"""The learning-rate schedule and its defaults."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import sartor
from sartor.contract.manifest import Manifest
from sartor.errors import DataError
from sartor.heads import Head
from sartor.litert import open_model
from sartor.losses import Huber, Loss, MeanSquaredError, SigmoidCrossEntropy
from sartor.optimizers import Optimizer
from sartor.runtime.data.dataset import Dataset, training_dataset
from sartor.runtime.store import SampleSet
from sartor.runtime.training.schedule import DECAYS, Schedule, default_rate

Convert = Callable[..., Path]
MOMENTUM = sartor.SGD(momentum=0.9)


def rows(count: int, value: float = 1.0) -> list[np.ndarray]:
    return [np.full((count, 16), value, np.float32)]


def with_feature_norm(manifest: Manifest, feature_norm: float | None) -> Manifest:
    return replace(manifest, head=replace(manifest.head, feature_norm=feature_norm))


def unnormalized(path: Path) -> Manifest:
    """Return the manifest of a head that does not normalize features."""
    return with_feature_norm(open_model(path), None)


@pytest.fixture
def manifest(tiny: Convert) -> Manifest:
    return unnormalized(tiny(batch_size=32, optimizer=MOMENTUM))


def test_a_larger_norm_of_normalized_features_lowers_the_rate(tiny: Convert) -> None:
    normalized = open_model(tiny(batch_size=32, optimizer=MOMENTUM))
    peak = default_rate(normalized, rows(1000))
    assert peak == default_rate(normalized, rows(1000, 1e9))
    assert peak == default_rate(normalized, rows(1000), length=0.1)
    assert default_rate(normalized, rows(1000), length=7.0) == pytest.approx(peak * 5 / 50)


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
    one = default_rate(manifest, rows(1000))
    assert default_rate(manifest, rows(1000, 10.0)) == pytest.approx(one * 17 / 1601)
    assert default_rate(manifest, rows(1000) + rows(1000)) == pytest.approx(one * 17 / 33)


@pytest.mark.parametrize(
    ("optimizer", "largest"),
    [(sartor.SGD(), 2.0), (MOMENTUM, 3.8), (sartor.SGD(momentum=0.9, nesterov=True), 3.8 / 2.8)],
    ids=["plain", "momentum", "nesterov"],
)
def test_the_default_rate_is_half_of_the_largest_stable_one(
    tiny: Convert, optimizer: sartor.SGD, largest: float
) -> None:
    """Minimize a quadratic of the assumed curvature; at twice the rate it diverges."""
    manifest = unnormalized(tiny(head=sartor.MultiLabelClassifier(), optimizer=optimizer))
    peak = default_rate(manifest, rows(1000), outputs=1)
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
    manifest = unnormalized(tiny(head=sartor.MLP(hidden=(4,), loss=loss), optimizer=MOMENTUM))
    for outputs in (1, 3):
        rate = default_rate(manifest, rows(1000), outputs=outputs)
        assert rate == pytest.approx(outputs * peak * 0.5 / 17)
    assert default_rate(manifest, rows(9)) == default_rate(manifest, rows(9), outputs=4)


@pytest.mark.parametrize("optimizer", [sartor.Adam(), sartor.AdamW(), sartor.RMSprop()], ids=str)
def test_the_rate_of_an_adaptive_optimizer_changes_a_logit_by_one(
    tiny: Convert, optimizer: sartor.Adam | sartor.RMSprop
) -> None:
    adam = unnormalized(tiny("adaptive", optimizer=optimizer))
    assert default_rate(adam, rows(100, 2.0)) == pytest.approx(1 / 33)
    assert default_rate(adam, rows(1000, -2.0)) == pytest.approx(1 / 33)
    assert default_rate(adam, rows(10, 2.0), magnitude=50.0) == pytest.approx(50 / 33)
    normalized = with_feature_norm(adam, 0.5)
    assert default_rate(normalized, rows(100, 2.0)) == pytest.approx(1 / 3)


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


RECORDED: dict[str, tuple[Head, Optimizer, float]] = {
    "softmax, momentum": (sartor.SoftmaxClassifier(), MOMENTUM, 1.14),
    "softmax, plain": (sartor.SoftmaxClassifier(), sartor.SGD(), 0.6),
    "softmax, Nesterov": (
        sartor.SoftmaxClassifier(), sartor.SGD(momentum=0.8, nesterov=True), 0.415384615385
    ),
    "cosine, AdamW": (sartor.CosineClassifier(), sartor.AdamW(), 0.0243902439024),
    "multi-label, momentum": (sartor.MultiLabelClassifier(), MOMENTUM, 6.08),
    "regression, momentum": (sartor.Regressor(), MOMENTUM, 0.04),
    "Huber, momentum": (sartor.Regressor(loss=Huber(2.0)), MOMENTUM, 0.08),
    "regression, RMSprop": (sartor.Regressor(), sartor.RMSprop(momentum=0.5), 0.111111111111),
    "MLP, Adam": (sartor.MLP(hidden=(4,)), sartor.Adam(), 0.111111111111),
}  # fmt: skip
"""Head, optimizer, and the default learning rate."""


@pytest.mark.parametrize("name", RECORDED)
def test_the_default_learning_rates_do_not_change(tiny: Convert, name: str) -> None:
    head, optimizer, rate = RECORDED[name]
    manifest = open_model(tiny(head=head, optimizer=optimizer))
    assert default_rate(manifest, rows(200, 1.5)) == pytest.approx(rate, rel=1e-9)
