"""The predictions of a trained model are calibrated, and detect OOD inputs."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from blobs import LABELS, PROBE, add_samples, blobs

import sartor
from sartor import PersonalModel

Convert = Callable[..., Path]
OOD_INPUTS = [
    (10 * np.random.default_rng(seed).normal(size=(1, 8))).astype(np.float32) for seed in range(20)
]


def in_distribution(model: PersonalModel) -> list[bool | None]:
    return [model.predict(sample).in_distribution for sample in OOD_INPUTS]


def test_the_expected_accuracy_is_that_on_new_samples(tiny: Convert) -> None:
    with PersonalModel(tiny()) as model:
        for sample, label in blobs(60, spread=2.5):
            model.add_sample(sample, label)
        history = model.fit()
        fresh = model.evaluate(blobs(300, seed=2, spread=2.5))
        assert 0.5 < fresh.accuracy < 0.95  # not an easy task
        assert history.expected_accuracy == pytest.approx(fresh.accuracy, abs=0.1)
        assert history.calibration_error is not None
        assert fresh.calibration_error is not None
        assert fresh.calibration_error < 0.1


def test_the_temperature_calibrates_probabilities(tiny: Convert) -> None:
    """Without it, a head of classes that are easy to tell apart lacks confidence."""
    with PersonalModel(tiny()) as model:
        for sample, label in blobs(30, spread=1.5):
            model.add_sample(sample, label)
        model.fit()
        fresh = list(blobs(300, seed=2, spread=1.5))
        calibrated = model.evaluate(fresh)
        state = model._state.engine.variables()
        model._state.engine.restore({**state, "temperature": np.ones(1, np.float32)})
        uncalibrated = model.evaluate(fresh)
        assert uncalibrated.accuracy == calibrated.accuracy  # the same predictions
        assert (calibrated.calibration_error or 1) < 0.8 * (uncalibrated.calibration_error or 0)
        assert calibrated.loss < uncalibrated.loss


def test_ood_inputs_are_none_of_these(tiny: Convert, tmp_path: Path) -> None:
    path = tiny()
    with PersonalModel(path) as model:
        assert model.predict(PROBE).in_distribution is None
        assert model.predict(PROBE).best is None  # no class yet
        add_samples(model, 20)
        model.fit()
        predictions = [model.predict(sample) for sample, _ in blobs(40, seed=2)]
        ood_predictions = [model.predict(sample) for sample in OOD_INPUTS]
        assert np.mean([each.in_distribution for each in predictions]) > 0.8
        assert np.mean([each.in_distribution for each in ood_predictions]) < 0.35
        best = predictions[0].best
        assert best is not None
        assert best.label == LABELS[0]
        assert all(each.best is None for each in ood_predictions if not each.in_distribution)
        model.save(tmp_path / "mine.safetensors")
    with PersonalModel(path) as model:
        model.load(tmp_path / "mine.safetensors")
        assert in_distribution(model) == [each.in_distribution for each in ood_predictions]
    with PersonalModel(tiny("more", classes=9, optimizer=sartor.Adam())) as model:
        model.load(tmp_path / "mine.safetensors")
        assert in_distribution(model) == [each.in_distribution for each in ood_predictions]


def test_changes_of_the_samples_update_the_ood_detector(tiny: Convert) -> None:
    """After a sample is forgotten, there is no detector until the next training."""
    with PersonalModel(tiny()) as model:
        add_samples(model, 10).fit()
        assert model.predict(PROBE).in_distribution
        model.add_sample(OOD_INPUTS[0], "sock")  # the detector knows the new class
        assert model.predict(OOD_INPUTS[0]).in_distribution
        model.fit()
        assert model.predict(OOD_INPUTS[0]).best is not None
        model.remove_class("sock")
        assert model.predict(PROBE).in_distribution
        model.forget(model.samples[0].id)
        assert model.predict(PROBE).in_distribution is None


def test_one_sample_per_class_gives_moderate_probabilities(tiny: Convert) -> None:
    """Neither uniform nor certain, before and after training."""
    with PersonalModel(tiny()) as model:
        add_samples(model, 1)
        for _ in range(2):
            best = [model.predict(sample)[0] for sample, _ in blobs(1)]
            assert [each.label for each in best] == list(LABELS)
            assert all(0.5 < each.probability < 0.9999 for each in best)
            history = model.fit()
            assert history.expected_accuracy is None


def test_a_learning_rate_of_zero_keeps_the_temperature(tiny: Convert) -> None:
    with PersonalModel(tiny()) as model:
        add_samples(model).fit()
        before = model.predict(PROBE)
        model.fit(learning_rate=0)
        assert model.predict(PROBE) == before
        assert model.predict(PROBE).in_distribution == before.in_distribution
