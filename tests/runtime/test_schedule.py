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
from sartor.runtime.training.schedule import DECAYS, Schedule, default_schedule

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


@pytest.mark.parametrize(
    ("samples", "epochs", "steps"),
    [(1, 400, 400), (20, 400, 400), (80, 134, 402), (1000, 60, 1920), (5000, 26, 4082),
     (200_000, 1, 6250)],
)  # fmt: skip
def test_the_default_number_of_epochs_depends_on_the_samples(
    manifest: Manifest, samples: int, epochs: int, steps: int
) -> None:
    schedule = default_schedule(manifest, rows(samples))
    assert (schedule.epochs, schedule.steps) == (epochs, steps)
    assert default_schedule(manifest, rows(samples), epochs=3).epochs == 3


def test_gradient_descent_without_momentum_takes_three_times_as_many_steps(tiny: Convert) -> None:
    plain = open_model(tiny(batch_size=32, optimizer=sartor.SGD()))
    assert default_schedule(plain, rows(20)).steps == 1200
    adam = open_model(tiny("adam", batch_size=32, optimizer=sartor.Adam()))
    assert default_schedule(adam, rows(20)).steps == 400


def test_few_samples_lower_the_rate(manifest: Manifest) -> None:
    full = default_schedule(manifest, rows(1000)).peak
    assert full == pytest.approx(0.5 * 3.8 * 3 / 17)
    assert default_schedule(manifest, rows(150)).peak == pytest.approx(full)
    assert default_schedule(manifest, rows(50)).peak == pytest.approx(full / 3)
    normalized = with_feature_norm(manifest, 1.0)
    assert default_schedule(normalized, rows(200, 9.0)).peak == pytest.approx(full * 17 / 2 / 3)


def test_a_larger_norm_of_normalized_features_lowers_the_rate(tiny: Convert) -> None:
    normalized = open_model(tiny(batch_size=32, optimizer=MOMENTUM))
    peak = default_schedule(normalized, rows(1000)).peak
    assert peak == default_schedule(normalized, rows(1000, 1e9)).peak
    assert peak == default_schedule(normalized, rows(1000), length=0.1).peak
    assert default_schedule(normalized, rows(1000), length=7.0).peak == pytest.approx(peak * 5 / 50)


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
    rows = SampleSet([targets], ids, targets, tuple("abcd"), np.zeros(len(ids)))
    samples_by_index = training_dataset(
        manifest, rows, {name: index for index, name in enumerate("abcd")}
    )
    assert samples_by_index.effective_sample_size == pytest.approx(samples)


def test_with_weights_per_output_each_sample_counts_once() -> None:
    ones = np.ones((6, 4), np.float32)
    dataset = Dataset([ones], ones, ones, np.array([1, 1, 2, 2, 9, 9]), ones[:, 0])
    assert dataset.sample_count == dataset.effective_sample_size == 3


def test_the_effective_number_of_samples_can_be_given(manifest: Manifest) -> None:
    schedule = default_schedule(manifest, rows(1000), samples=30.0)
    assert schedule.peak == pytest.approx(default_schedule(manifest, rows(30)).peak)
    assert schedule.steps == default_schedule(manifest, rows(1000)).steps


def test_large_features_lower_the_rate(manifest: Manifest) -> None:
    one = default_schedule(manifest, rows(1000)).peak
    assert default_schedule(manifest, rows(1000, 10.0)).peak == pytest.approx(one * 17 / 1601)
    assert default_schedule(manifest, rows(1000) + rows(1000)).peak == pytest.approx(one * 17 / 33)


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
    peak = default_schedule(manifest, rows(1000), outputs=1).peak
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
        rate = default_schedule(manifest, rows(1000), outputs=outputs).peak
        assert rate == pytest.approx(outputs * peak * 0.5 / 17)
    assert default_schedule(manifest, rows(9)) == default_schedule(manifest, rows(9), outputs=4)


@pytest.mark.parametrize("optimizer", [sartor.Adam(), sartor.AdamW(), sartor.RMSprop()], ids=str)
def test_the_rate_of_an_adaptive_optimizer_changes_a_logit_by_one(
    tiny: Convert, optimizer: sartor.Adam | sartor.RMSprop
) -> None:
    adam = unnormalized(tiny("adaptive", optimizer=optimizer))
    assert default_schedule(adam, rows(100, 2.0)).peak == pytest.approx(1 / 33)
    assert default_schedule(adam, rows(1000, -2.0)).peak == pytest.approx(1 / 33)
    assert default_schedule(adam, rows(10, 2.0), magnitude=50.0).peak == pytest.approx(50 / 33)
    normalized = with_feature_norm(adam, 0.5)
    assert default_schedule(normalized, rows(100, 2.0)).peak == pytest.approx(1 / 3)


def test_a_rate_of_the_user_or_of_the_file_takes_precedence(manifest: Manifest) -> None:
    stated = replace(manifest, learning_rate=0.3)
    assert default_schedule(stated, rows(10)).peak == 0.3
    assert default_schedule(stated, rows(10), learning_rate=0.0).peak == 0
    linear = default_schedule(stated, rows(10), decay="linear", warmup=5)
    assert (linear.decay, linear.warmup) == ("linear", 5)


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


@pytest.mark.parametrize("decay", DECAYS)
def test_the_rate_rises_linearly_in_the_warm_up(decay: str) -> None:
    schedule = Schedule(epochs=4, batches=5, peak=2.0, decay=decay, warmup=4)
    rates = [schedule.rate(step / schedule.steps) for step in range(20)]
    assert rates[:5] == pytest.approx([0.4, 0.8, 1.2, 1.6, 2.0])
    assert rates[4:] == sorted(rates[4:], reverse=True)
    assert schedule.rate(1.0) == pytest.approx(2.0 if decay == "constant" else 0)


@pytest.mark.parametrize(
    ("options", "message"),
    [({"decay": "square"}, "one of cosine, linear, constant; got 'square'"),
     ({"warmup": -1}, "at least 0 and below the 6 steps"), ({"warmup": 6}, "got 6")],
)  # fmt: skip
def test_a_wrong_schedule_is_refused(options: dict[str, object], message: str) -> None:
    with pytest.raises(DataError, match=message):
        Schedule(epochs=2, batches=3, peak=1.0, **options)  # type: ignore[arg-type]


RECORDED: dict[str, tuple[Head, Optimizer, int, float]] = {
    "softmax, momentum": (sartor.SoftmaxClassifier(), MOMENTUM, 60, 0.38),
    "softmax, plain": (sartor.SoftmaxClassifier(), sartor.SGD(), 180, 0.2),
    "softmax, Nesterov": (
        sartor.SoftmaxClassifier(), sartor.SGD(momentum=0.8, nesterov=True), 60, 0.138461538462
    ),
    "cosine, AdamW": (sartor.CosineClassifier(), sartor.AdamW(), 60, 0.0243902439024),
    "multi-label, momentum": (sartor.MultiLabelClassifier(), MOMENTUM, 60, 2.02666666667),
    "regression, momentum": (sartor.Regressor(), MOMENTUM, 60, 0.04),
    "Huber, momentum": (sartor.Regressor(loss=Huber(2.0)), MOMENTUM, 60, 0.08),
    "regression, RMSprop": (sartor.Regressor(), sartor.RMSprop(momentum=0.5), 60, 0.111111111111),
    "MLP, Adam": (sartor.MLP(hidden=(4,)), sartor.Adam(), 60, 0.111111111111),
}  # fmt: skip
"""Head, optimizer, and the default epochs and learning rate for 200 samples."""


@pytest.mark.parametrize("name", RECORDED)
def test_the_default_schedules_do_not_change(tiny: Convert, name: str) -> None:
    head, optimizer, epochs, peak = RECORDED[name]
    schedule = default_schedule(open_model(tiny(head=head, optimizer=optimizer)), rows(200, 1.5))
    assert schedule.epochs == epochs
    assert schedule.peak == pytest.approx(peak, rel=1e-9)
