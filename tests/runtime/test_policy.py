"""The default schedule: few samples long enough, many not for ever, all at a rate that holds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import sartor
from sartor.contract.manifest import Manifest
from sartor.errors import DataError
from sartor.litert import open_model
from sartor.losses import Huber, Loss, MeanSquaredError, SigmoidCrossEntropy
from sartor.runtime.data.dataset import training_dataset
from sartor.runtime.store import SampleSet
from sartor.runtime.training.schedule import DECAYS, Schedule, default_schedule

Convert = Callable[..., Path]
MOMENTUM = sartor.SGD(momentum=0.9)


def rows(count: int, value: float = 1.0) -> list[np.ndarray]:
    return [np.full((count, 16), value, np.float32)]


def as_they_are(path: Path) -> Manifest:
    """Of a head that takes features as they are, as one of one's own does."""
    return replace(open_model(path), feature_norm=None)


@pytest.fixture
def manifest(tiny: Convert) -> Manifest:
    return as_they_are(tiny(batch=32, optimizer=MOMENTUM))


@pytest.mark.parametrize(
    ("samples", "epochs", "steps"),
    [(1, 400, 400), (20, 400, 400), (80, 134, 402), (1000, 60, 1920), (5000, 26, 4082),
     (200_000, 1, 6250)],
)  # fmt: skip
def test_how_long(manifest: Manifest, samples: int, epochs: int, steps: int) -> None:
    schedule = default_schedule(manifest, rows(samples))
    assert (schedule.epochs, schedule.steps) == (epochs, steps)
    assert default_schedule(manifest, rows(samples), epochs=3).epochs == 3


def test_longer_without_momentum(tiny: Convert) -> None:
    plain = open_model(tiny(batch=32, optimizer=sartor.SGD()))
    assert default_schedule(plain, rows(20)).steps == 1200
    adam = open_model(tiny("adam", batch=32, optimizer=sartor.Adam()))
    assert default_schedule(adam, rows(20)).steps == 400


def test_few_samples_are_believed_less(manifest: Manifest) -> None:
    full = default_schedule(manifest, rows(1000)).peak
    assert full == pytest.approx(0.5 * 3.8 * 3 / 17)
    assert default_schedule(manifest, rows(150)).peak == pytest.approx(full)
    assert default_schedule(manifest, rows(50)).peak == pytest.approx(full / 3)
    viewed = replace(manifest, feature_norm=1.0)
    assert default_schedule(viewed, rows(200, 9.0)).peak == pytest.approx(full * 17 / 2 / 3)


def test_features_that_are_seen_larger_are_learned_from_at_a_lower_rate(tiny: Convert) -> None:
    viewed = open_model(tiny(batch=32, optimizer=MOMENTUM))
    peak = default_schedule(viewed, rows(1000)).peak
    assert peak == default_schedule(viewed, rows(1000, 1e9)).peak
    assert peak == default_schedule(viewed, rows(1000), length=0.1).peak
    assert default_schedule(viewed, rows(1000), length=7.0).peak == pytest.approx(peak * 5 / 50)


@pytest.mark.parametrize(
    ("slots", "samples"),
    [([0], 1), ([2, 2, 2], 3), ([0, 1] * 5, 10), ([0] * 50 + [3], 4 / (1 + 1 / 50))],
)
def test_a_class_of_one_sample_is_believed_as_one(
    manifest: Manifest, slots: list[int], samples: float
) -> None:
    """Classes weigh the same, so that one sample weighs as much as 50; views are no samples."""
    targets = np.eye(4, dtype=np.float32)[np.repeat(slots, 2)]
    rows = SampleSet([targets], np.repeat(np.arange(len(slots)), 2), targets, tuple("abcd"))
    made = training_dataset(manifest, rows, {name: slot for slot, name in enumerate("abcd")})
    assert made.effective_sample_size == pytest.approx(samples)


def test_samples_are_believed_as_told(manifest: Manifest) -> None:
    told = default_schedule(manifest, rows(1000), samples=30.0)
    assert told.peak == pytest.approx(default_schedule(manifest, rows(30)).peak)
    assert told.steps == default_schedule(manifest, rows(1000)).steps


def test_large_features_are_learned_from_at_a_lower_rate(manifest: Manifest) -> None:
    one = default_schedule(manifest, rows(1000)).peak
    assert default_schedule(manifest, rows(1000, 10.0)).peak == pytest.approx(one * 17 / 1601)
    assert default_schedule(manifest, rows(1000) + rows(1000)).peak == pytest.approx(one * 17 / 33)


@pytest.mark.parametrize(
    ("optimizer", "largest"),
    [(sartor.SGD(), 2.0), (MOMENTUM, 3.8), (sartor.SGD(momentum=0.9, nesterov=True), 3.8 / 2.8)],
    ids=["plain", "momentum", "nesterov"],
)
def test_half_of_what_is_stable(tiny: Convert, optimizer: sartor.SGD, largest: float) -> None:
    """On a quadratic of the curvature that is assumed; at twice the rate it diverges."""
    made = as_they_are(tiny(head=sartor.MultiLabelClassifier(), optimizer=optimizer))
    peak = default_schedule(made, rows(1000), outputs=1).peak
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
def test_each_loss_has_its_curvature(tiny: Convert, loss: Loss, peak: float) -> None:
    made = as_they_are(tiny(head=sartor.MLP(hidden=(4,), loss=loss), optimizer=MOMENTUM))
    for outputs in (1, 3):
        found = default_schedule(made, rows(1000), outputs=outputs).peak
        assert found == pytest.approx(outputs * peak * 0.5 / 17)
    assert default_schedule(made, rows(9)) == default_schedule(made, rows(9), outputs=4)


@pytest.mark.parametrize("optimizer", [sartor.Adam(), sartor.AdamW(), sartor.RMSprop()], ids=str)
def test_how_fast_with_a_pace_of_its_own(
    tiny: Convert, optimizer: sartor.Adam | sartor.RMSprop
) -> None:
    adam = as_they_are(tiny("own_pace", optimizer=optimizer))
    assert default_schedule(adam, rows(100, 2.0)).peak == pytest.approx(1 / 33)
    assert default_schedule(adam, rows(1000, -2.0)).peak == pytest.approx(1 / 33)
    assert default_schedule(adam, rows(10, 2.0), magnitude=50.0).peak == pytest.approx(50 / 33)
    viewed = replace(adam, feature_norm=0.5)
    assert default_schedule(viewed, rows(100, 2.0)).peak == pytest.approx(1 / 3)


def test_what_the_user_or_the_file_says_goes_first(manifest: Manifest) -> None:
    stated = replace(manifest, learning_rate=0.3)
    assert default_schedule(stated, rows(10)).peak == 0.3
    assert default_schedule(stated, rows(10), learning_rate=0.0).peak == 0
    linear = default_schedule(stated, rows(10), decay="linear", warmup=5)
    assert (linear.decay, linear.warmup) == ("linear", 5)


@pytest.mark.parametrize(
    ("decay", "half", "end"), [("cosine", 1.0, 0.0), ("linear", 1.0, 0.0), ("constant", 2.0, 2.0)]
)
def test_how_the_rate_falls(decay: str, half: float, end: float) -> None:
    schedule = Schedule(epochs=4, batches=5, peak=2.0, decay=decay)
    rates = [schedule.rate(step / schedule.steps) for step in range(20)]
    assert rates[0] == 2
    assert rates[10] == pytest.approx(half)
    assert rates == sorted(rates, reverse=True)
    assert schedule.rate(1.0) == schedule.rate(1.5) == pytest.approx(end)


def test_the_decays_are_all_tested() -> None:
    assert list(DECAYS) == ["cosine", "linear", "constant"]


@pytest.mark.parametrize("decay", DECAYS)
def test_the_rate_grows_in_the_warm_up(decay: str) -> None:
    schedule = Schedule(epochs=4, batches=5, peak=2.0, decay=decay, warmup=4)
    rates = [schedule.rate(step / schedule.steps) for step in range(20)]
    assert rates[:5] == pytest.approx([0.4, 0.8, 1.2, 1.6, 2.0])
    assert rates[4:] == sorted(rates[4:], reverse=True)
    assert schedule.rate(1.0) == pytest.approx(2.0 if decay == "constant" else 0)


@pytest.mark.parametrize(
    ("settings", "message"),
    [({"decay": "square"}, "one of cosine, linear, constant; got 'square'"),
     ({"warmup": -1}, "at least 0 and below the 6 steps"), ({"warmup": 6}, "got 6")],
)  # fmt: skip
def test_schedules_that_make_no_sense(settings: dict[str, object], message: str) -> None:
    with pytest.raises(DataError, match=message):
        Schedule(epochs=2, batches=3, peak=1.0, **settings)  # type: ignore[arg-type]
