"""The default schedule: few samples long enough, many not for ever, all at a rate that holds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import sartor
from sartor.manifest import Manifest
from sartor.runtime.files import open_model
from sartor.runtime.policy import Schedule, default_schedule

Convert = Callable[..., Path]


def rows(count: int, value: float = 1.0) -> list[np.ndarray]:
    return [np.full((count, 16), value, np.float32)]


@pytest.fixture
def manifest(tiny: Convert) -> Manifest:
    return open_model(tiny(batch=32))


@pytest.mark.parametrize(
    ("samples", "epochs", "steps"),
    [(1, 200, 200), (20, 200, 200), (80, 67, 201), (1000, 50, 1600), (3200, 40, 4000),
     (200_000, 1, 6250)],
)  # fmt: skip
def test_how_long(manifest: Manifest, samples: int, epochs: int, steps: int) -> None:
    schedule = default_schedule(manifest, rows(samples))
    assert schedule.epochs == epochs
    assert schedule.epochs * schedule.batches == steps
    assert default_schedule(manifest, rows(samples), epochs=3).epochs == 3


def test_how_fast(manifest: Manifest) -> None:
    assert default_schedule(manifest, rows(100)).peak == pytest.approx(1 / 17)
    assert default_schedule(manifest, rows(50)).peak == pytest.approx(0.5 / 17)
    assert default_schedule(manifest, rows(1000)).peak == pytest.approx(2 / 17)
    assert default_schedule(manifest, rows(100, 10.0)).peak == pytest.approx(1 / 1601)
    assert default_schedule(manifest, rows(100) + rows(100)).peak == pytest.approx(1 / 33)
    normalized = replace(manifest, features_length=0.5)
    assert default_schedule(normalized, rows(100, 10.0)).peak == pytest.approx(1 / 1.25)


@pytest.mark.parametrize("optimizer", [sartor.Adam(), sartor.AdamW(), sartor.RMSprop()], ids=str)
def test_how_fast_with_a_pace_of_its_own(
    tiny: Convert, optimizer: sartor.Adam | sartor.RMSprop
) -> None:
    adam = open_model(tiny("own_pace", optimizer=optimizer))
    assert default_schedule(adam, rows(100, 2.0)).peak == pytest.approx(1 / 33)
    assert default_schedule(adam, rows(1000, -2.0)).peak == pytest.approx(1 / 33)
    normalized = replace(adam, features_length=0.5)
    assert default_schedule(normalized, rows(100, 2.0)).peak == pytest.approx(1 / 3)


def test_what_the_user_or_the_file_says_goes_first(manifest: Manifest) -> None:
    stated = replace(manifest, learning_rate=0.3)
    assert default_schedule(stated, rows(10)).peak == 0.3
    assert default_schedule(stated, rows(10), learning_rate=0.0).peak == 0


def test_the_rate_falls_to_nothing() -> None:
    schedule = Schedule(epochs=4, batches=5, peak=2.0)
    rates = [schedule.rate(step) for step in range(20)]
    assert rates[0] == 2
    assert rates[10] == pytest.approx(1)
    assert rates == sorted(rates, reverse=True)
    assert 0 < rates[-1] < 0.02
