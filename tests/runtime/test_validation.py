"""The expected accuracy is that on new samples, or it is unknown and a warning says why."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from blobs import PROBE, add_samples, blobs

import sartor
from sartor import PersonalModel
from sartor.errors import TrainingError
from sartor.runtime import History, bake
from sartor.runtime.training import validation
from sartor.runtime.training.control import Control
from sartor.runtime.training.staged import StagedTraining

Convert = Callable[..., Path]
LONG = 100_000  # epochs, more than any test waits for


@pytest.fixture
def folds(monkeypatch: pytest.MonkeyPatch) -> list[History]:
    """Record the history of the training of each fold."""
    histories: list[History] = []

    class Recorded(StagedTraining):
        def run(self, *arguments: Any) -> None:
            super().run(lambda epoch: None)  # without a callback, a history has no epochs
            histories.append(self.history)

    monkeypatch.setattr(validation, "StagedTraining", Recorded)
    return histories


class Clock:
    """A clock for trainings that advances by `tick` seconds at each look."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now, self.tick = 0.0, 1.0
        fake = SimpleNamespace(monotonic=self._look)
        monkeypatch.setattr("sartor.runtime.training.control.time", fake)

    def _look(self) -> float:
        self.now += self.tick
        return self.now


def test_a_time_limit_does_not_shorten_the_trainings_of_the_folds(
    tiny: Convert, folds: list[History], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Heads that are trained less than the model would say nothing about it."""
    clock = Clock(monkeypatch)
    with PersonalModel(tiny()) as model:
        for sample, label in blobs(12, spread=2.5):
            model.add_sample(sample, label)
        expected = model.fit(30)
        clock.now = 0.0
        folds.clear()
        history = model.fit(30, seconds=1e6)
        assert history.expected_accuracy == expected.expected_accuracy
        assert history.calibration_error == expected.calibration_error
        assert [len(fold.epochs) for fold in folds] == [30, 30, 30]


def test_folds_are_trained_for_as_many_epochs_as_the_model(
    tiny: Convert, folds: list[History], monkeypatch: pytest.MonkeyPatch
) -> None:
    Clock(monkeypatch)
    with PersonalModel(tiny()) as model:
        history = add_samples(model, 12).fit(LONG, seconds=200)
        assert 2 <= len(history.epochs) < LONG
        completed = [fold for fold in folds if not fold.stopped]
        assert completed
        assert {len(fold.epochs) for fold in completed} == {len(history.epochs)}
        rates = [epoch.learning_rate for epoch in completed[0].epochs]
        assert rates[-1] < 0.1 * rates[0]
        assert history.expected_accuracy == 1
        assert len(folds) <= 3


def test_folds_are_trained_for_as_many_epochs_as_early_stopping_allows(
    tiny: Convert, folds: list[History]
) -> None:
    with PersonalModel(tiny(optimizer=sartor.SGD())) as model:
        for sample, label in blobs(20, spread=2.5):
            model.add_sample(sample, label)
        history = model.fit(200, patience=3, learning_rate=1, decay="constant")
        assert len(history.epochs) < 200
        assert {len(fold.epochs) for fold in folds} == {len(history.epochs)}


def test_a_cross_validation_is_paused_and_stopped_with_the_training() -> None:
    control = Control()
    folds = control.limited()
    assert folds.wait()
    control.pause()
    assert folds.paused
    control.stop()
    assert folds.stopped
    assert not folds.wait()


def test_a_cross_validation_without_time_reports_no_accuracy(
    tiny: Convert, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Clock(monkeypatch)

    def slow_down(epoch: sartor.runtime.Epoch) -> None:
        clock.tick = 1.0 if epoch.epoch < epoch.epochs else 1e4

    with PersonalModel(tiny()) as model:
        history = add_samples(model, 12).fit(5, slow_down, seconds=1000)
        assert not history.stopped
        assert (history.expected_accuracy, history.calibration_error) == (None, None)
        assert history.warnings == (
            "the expected accuracy is unknown: there was no time to measure it. "
            "Train for more than 1000 s",
        )
        assert model.predict(PROBE).in_distribution is not None
        assert 0.5 < model.predict(PROBE)[0].probability < 0.9999


def test_a_fold_that_cannot_be_trained_reports_no_accuracy(
    tiny: Convert, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Failing(StagedTraining):
        def run(self, *_: object) -> None:
            raise TrainingError("the loss rose")

    monkeypatch.setattr(validation, "StagedTraining", Failing)
    with PersonalModel(tiny()) as model:
        history = add_samples(model, 12).fit(5)
    assert history.expected_accuracy is None
    assert "was not completed" in history.warnings[0]


def test_bursts_do_not_raise_the_expected_accuracy(tiny: Convert) -> None:
    """Five photos per class, and four more frames of each."""
    gaps, rng = [], np.random.default_rng(0)
    for seed in range(4):
        with PersonalModel(tiny()) as model:
            for photo, label in blobs(5, seed=seed, spread=3):
                for _ in range(5):
                    frame = photo + 0.3 * rng.normal(size=photo.shape)
                    model.add_sample(frame.astype(np.float32), label)
            history = model.fit()
            accuracy = model.evaluate(blobs(300, seed=99, spread=3)).accuracy
            assert accuracy < 0.85
            assert history.expected_accuracy is not None
            gaps.append(history.expected_accuracy - accuracy)
    assert np.mean(gaps) < 0.1
    assert np.mean(gaps) > -0.15  # the folds are trained on three or four photos


@pytest.fixture
def splits(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Return the list to which each split of the samples of a training is added."""
    parts: list[Any] = []
    take = sartor.runtime.store.SampleSet.take

    def record(samples: Any, rows: np.ndarray) -> Any:
        parts.append(take(samples, rows))
        return parts[-1]

    monkeypatch.setattr(sartor.runtime.store.SampleSet, "take", record)
    return parts


def test_early_stopping_measures_on_other_bursts(tiny: Convert, splits: list[Any]) -> None:
    rng = np.random.default_rng(0)
    with PersonalModel(tiny()) as model:
        for index in range(12):
            photo = rng.normal(size=(1, 16))
            for _ in range(3):
                row = (photo + 0.05 * rng.normal(size=photo.shape)).astype(np.float32)
                model._samples.add_features([[row]], {"hat" if index % 2 else "shoes": 1.0})
        first = model.samples[0].id
        model.fit(2, patience=1)
    training, held_out = (set((each.samples - first) // 3) for each in splits[:2])
    assert len(held_out) == 4
    assert not training & held_out


def test_early_stopping_measures_on_other_samples(tiny: Convert, splits: list[Any]) -> None:
    """No augmentation of a sample is on both sides."""
    with PersonalModel(tiny()) as model:
        rng = np.random.default_rng(0)
        for index in range(24):
            rows = [[rng.normal(size=(1, 16)).astype(np.float32)] for _ in range(3)]
            model._samples.add_features(rows, {"hat": 1.0} if index % 2 else {"shoes": 1.0})
        model.fit(2, patience=1)
        training, held_out = splits[:2]
        assert len(held_out.samples) > 0
        assert not set(training.samples) & set(held_out.samples)


@pytest.mark.parametrize("is_burst", [True, False])
def test_one_burst_per_class_is_noticed(image_model: Convert, is_burst: bool) -> None:
    rng = np.random.default_rng(0)
    with PersonalModel(image_model()) as model:
        for label in ("hat", "shoes"):
            photo = rng.integers(0, 256, (8, 10, 3))
            for _ in range(6):
                noise = rng.normal(0, 8, photo.shape)
                new = photo + noise if is_burst else rng.integers(0, 256, photo.shape)
                model.add_sample(np.clip(new, 0, 255).astype(np.uint8), label)
        warnings = model.fit(3).warnings
    assert ("as alike as those of one burst" in "".join(warnings)) == is_burst


def test_one_class_has_no_expected_accuracy(tiny: Convert) -> None:
    with PersonalModel(tiny()) as model:
        for sample, label in blobs(12):
            if label == "hat":
                model.add_sample(sample, label)
        history = model.fit(5)
    assert (history.expected_accuracy, history.calibration_error) == (None, None)
    assert history.warnings == (
        "the expected accuracy is unknown: there is one class only. Add samples of another class",
    )


def test_one_sample_per_class_has_no_expected_accuracy(tiny: Convert) -> None:
    with PersonalModel(tiny()) as model:
        history = add_samples(model, 1).fit(5)
    assert history.expected_accuracy is None
    assert "no class has two different samples" in history.warnings[0]


def test_a_class_that_is_not_held_out_is_named(tiny: Convert) -> None:
    with PersonalModel(tiny()) as model:
        for index, (sample, label) in enumerate(blobs(12, spread=1)):
            if label != "dress" or index < 3:
                model.add_sample(sample, label)
        history = model.fit(5)
    assert history.expected_accuracy is not None
    assert "not that of 'dress'" in history.warnings[0]


def test_a_complete_training_has_no_warnings(tiny: Convert) -> None:
    with PersonalModel(tiny()) as model:
        assert add_samples(model).fit(5).warnings == ()


def test_the_published_weights_are_those_of_all_samples(
    tiny: Convert, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And not those of a fold."""
    path = tiny()
    with PersonalModel(path) as model:
        for sample, label in blobs(12, spread=2.5):
            model.add_sample(sample, label)
        model.fit(5)
        weights = model._state.engine.variables()["head/weights"]
        monkeypatch.setattr("sartor.runtime.training.fit.select_stage", lambda *_: None)
        model.fit(5)
        assert np.array_equal(model._state.engine.variables()["head/weights"], weights)


def test_the_temperature_of_a_baked_file_does_not_change_the_calibration(
    tiny: Convert, tmp_path: Path
) -> None:
    path, baked = tiny(), tmp_path / "baked.tflite"
    temperatures = []
    with PersonalModel(path) as model:
        for sample, label in blobs(12, spread=2.5):
            model.add_sample(sample, label)
        model.fit(weight_decay=0.01)
        temperatures.append(float(model._state.engine.variables()["temperature"][0]))
        model.save(tmp_path / "mine.safetensors")
    bake(path, tmp_path / "mine.safetensors", baked)
    with PersonalModel(baked) as model:
        for sample, label in blobs(12, spread=2.5):
            model.add_sample(sample, label)
        model.fit(weight_decay=0.01)
        temperatures.append(float(model._state.engine.variables()["temperature"][0]))
    assert temperatures[0] != pytest.approx(1, rel=0.01)
    assert temperatures[1] == pytest.approx(temperatures[0], rel=1e-3)
