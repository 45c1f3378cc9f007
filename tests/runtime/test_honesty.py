"""A model says how sure it is, and when it does not know."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from blobs import LABELS, PROBE, blobs, taught

import sartor
from sartor import PersonalModel

Convert = Callable[..., Path]
STRANGE = [
    (10 * np.random.default_rng(seed).normal(size=(1, 8))).astype(np.float32) for seed in range(20)
]


def in_distribution(model: PersonalModel) -> list[bool | None]:
    return [model.predict(sample).in_distribution for sample in STRANGE]


def test_training_says_how_good_the_model_will_be(tiny: Convert) -> None:
    with PersonalModel(tiny()) as model:
        for sample, label in blobs(30, spread=2.5):
            model.add_sample(sample, label)
        history = model.fit()
        fresh = model.evaluate(blobs(300, seed=2, spread=2.5))
        assert 0.5 < fresh.accuracy < 0.95  # not an easy one
        assert history.expected_accuracy == pytest.approx(fresh.accuracy, abs=0.1)
        assert fresh.accuracy + 0.02 < history.epochs[-1].accuracy  # which knew the samples
        assert history.calibration_error is not None
        assert fresh.calibration_error is not None
        assert fresh.calibration_error < 0.1


def test_temperature_makes_probabilities_honest(tiny: Convert) -> None:
    """Without it a head that knows its samples by heart is far too sure."""
    with PersonalModel(tiny()) as model:
        for sample, label in blobs(30, spread=3):
            model.add_sample(sample, label)
        model.fit()
        fresh = list(blobs(300, seed=2, spread=3))
        honest = model.evaluate(fresh)
        state = model._state.engine.variables()
        model._state.engine.restore({**state, "temperature": np.ones(1, np.float32)})
        plain = model.evaluate(fresh)
        assert plain.accuracy == honest.accuracy  # the same answers
        assert (honest.calibration_error or 1) < 0.8 * (plain.calibration_error or 0)
        assert honest.loss < plain.loss


def test_what_was_never_taught_is_none_of_these(tiny: Convert, tmp_path: Path) -> None:
    path = tiny()
    with PersonalModel(path) as model:
        assert model.predict(PROBE).in_distribution is None
        assert model.predict(PROBE).best is None  # no class yet
        taught(model, 20)
        model.fit()
        known = [model.predict(sample) for sample, _ in blobs(40, seed=2)]
        strange = [model.predict(sample) for sample in STRANGE]
        assert np.mean([each.in_distribution for each in known]) > 0.8
        assert np.mean([each.in_distribution for each in strange]) < 0.35
        best = known[0].best
        assert best is not None
        assert best.label == LABELS[0]
        assert all(each.best is None for each in strange if not each.in_distribution)
        model.save(tmp_path / "mine.safetensors")
    with PersonalModel(path) as model:
        model.load(tmp_path / "mine.safetensors")
        assert in_distribution(model) == [each.in_distribution for each in strange]
    with PersonalModel(tiny("more", classes=9, optimizer=sartor.Adam())) as model:
        model.load(tmp_path / "mine.safetensors")
        assert in_distribution(model) == [each.in_distribution for each in strange]


def test_what_it_cannot_tell_it_does_not_say(tiny: Convert) -> None:
    """A sample that was forgotten leaves it open until the next training."""
    with PersonalModel(tiny()) as model:
        taught(model, 10).fit()
        assert model.predict(PROBE).in_distribution
        model.add_sample(STRANGE[0], "sock")  # a new class joins those that are known
        assert model.predict(STRANGE[0]).in_distribution
        model.fit()
        assert model.predict(STRANGE[0]).best is not None
        model.remove_class("sock")
        assert model.predict(PROBE).in_distribution
        model.forget(model.samples[0].id)
        assert model.predict(PROBE).in_distribution is None


def test_one_sample_a_class_is_enough_to_be_sure_of_itself(tiny: Convert) -> None:
    """Neither flat nor absurd, before any training and after it."""
    with PersonalModel(tiny()) as model:
        taught(model, 1)
        for _ in range(2):
            found = [model.predict(sample)[0] for sample, _ in blobs(1)]
            assert [each.label for each in found] == list(LABELS)
            assert all(0.5 < each.probability < 0.9999 for each in found)
            history = model.fit()
            assert history.expected_accuracy is None


def test_a_learning_rate_of_zero_leaves_the_temperature(tiny: Convert) -> None:
    with PersonalModel(tiny()) as model:
        taught(model).fit()
        before = model.predict(PROBE)
        model.fit(learning_rate=0)
        assert model.predict(PROBE) == before
        assert model.predict(PROBE).in_distribution == before.in_distribution
