"""Training jobs: in the background, paused, stopped, with a time limit, with early stopping."""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from blobs import LABELS, PROBE, add_samples, blobs

import sartor
from sartor import PersonalModel
from sartor.errors import DataError, TrainingError
from sartor.litert import Engine
from sartor.runtime import Epoch
from sartor.runtime.state import ModelState

Convert = Callable[..., Path]
LONG = 100_000  # epochs, more than any test waits for


def test_background_training_equals_fit(tiny: Convert) -> None:
    path = tiny()
    epochs: list[Epoch] = []
    with PersonalModel(path) as first, PersonalModel(path) as second:
        expected = add_samples(first).fit(epochs=7)
        training = add_samples(second).start_training(7, epochs.append)
        assert training.wait() == expected
        assert not training.running
        assert [epoch.epoch for epoch in epochs] == list(range(1, 8))
        assert second.predict(PROBE) == first.predict(PROBE)


def test_predictions_use_published_weights_during_training(tiny: Convert) -> None:
    with PersonalModel(tiny()) as model:
        before = add_samples(model).predict(PROBE)
        training = model.start_training(LONG)
        _until(lambda: model.predict(PROBE) != before)
        assert training.running
        training.stop()
        assert training.wait().stopped
        assert model.predict(PROBE)[0].label == "hat"


def test_pause_resume_and_stop(tiny: Convert) -> None:
    epochs: list[Epoch] = []
    with PersonalModel(tiny()) as model:
        training = add_samples(model).start_training(LONG, epochs.append)
        _until(lambda: bool(epochs))
        training.pause()
        assert training.paused
        time.sleep(0.05)  # the current step ends
        count = len(epochs)
        time.sleep(0.1)
        assert len(epochs) == count
        with pytest.raises(TimeoutError, match="not ended"):
            training.wait(timeout=0.01)
        training.resume()
        _until(lambda: len(epochs) > count)
        training.pause()
        training.stop()  # also ends a pause
        history = training.wait(timeout=600)
        assert history.stopped
        assert not training.paused
        assert 2 * len(history.epochs) <= history.steps < 2 * LONG


def test_stop_ends_a_training_within_one_step(tiny: Convert) -> None:
    steps = 0
    with PersonalModel(tiny()) as model:
        add_samples(model)

        def stop(epoch: Epoch) -> None:
            nonlocal steps
            steps = epoch.epoch * 2
            model.stop()

        assert model.fit(LONG, stop).steps == steps == 2


def test_seconds_limits_a_training_and_its_learning_rate(tiny: Convert) -> None:
    rates = []
    with PersonalModel(tiny()) as model:
        history = add_samples(model).fit(
            LONG, lambda epoch: rates.append(epoch.learning_rate), seconds=0.3
        )
        assert not history.stopped
        assert len(history.epochs) < LONG
        assert rates == sorted(rates, reverse=True)
        assert rates[-1] < 0.1 * rates[0]
        assert model.evaluate().accuracy > 0.99


def test_early_stopping_keeps_the_best_weights(tiny: Convert) -> None:
    """With a learning rate that is too high, the best epoch is an early one."""
    with PersonalModel(tiny(optimizer=sartor.SGD())) as model:
        for sample, label in blobs(20, spread=2.5):
            model.add_sample(sample, label)
        for sample, label in blobs(20, seed=5, spread=2.5):
            model.add_sample(sample, label, held_out=True)
        history = model.fit(200, patience=3, learning_rate=3, decay="constant")
        losses = [epoch.held_out_loss or 0 for epoch in history.epochs]
        assert len(losses) < 200
        assert len(losses) - 4 == int(np.argmin(losses))
        assert model.evaluate().samples == 60
        assert history.samples == 60
        weights = model._state.engine.variables()["head/weights"]
        model.fit(int(np.argmin(losses)) + 1, learning_rate=3, decay="constant")
        assert np.array_equal(model._state.engine.variables()["head/weights"], weights)


def test_early_stopping_holds_out_a_third_of_each_class_by_default(tiny: Convert) -> None:
    with PersonalModel(tiny()) as model:
        history = add_samples(model, 10).fit(patience=2)
        assert 18 <= history.samples <= 22  # near-duplicates are held out together
        assert all(epoch.held_out_loss is not None for epoch in history.epochs)
        assert model.fit().samples == 30


def test_a_warm_start_continues_from_the_present_weights(tiny: Convert) -> None:
    with PersonalModel(tiny()) as model:
        first = add_samples(model).fit(epochs=30)
        warm = model.fit(epochs=3, warm_start=True)
        scratch = model.fit(epochs=3)
        assert warm.epochs[0].loss < 1.01 * first.epochs[-1].loss
        assert scratch.epochs[0].loss > 1.05 * first.epochs[-1].loss  # at best 0.64, see the recipe


@pytest.mark.parametrize("decay", ["cosine", "linear", "constant"])
def test_the_learning_rate_falls_unless_it_is_constant(tiny: Convert, decay: str) -> None:
    with PersonalModel(tiny()) as model:
        epochs = add_samples(model).fit(epochs=10, decay=decay).epochs
        falls = epochs[-1].learning_rate < epochs[0].learning_rate
        assert falls == (decay != "constant")
        assert model.evaluate().accuracy > 0.99


def test_samples_and_classes_can_be_added_during_training(tiny: Convert) -> None:
    """A class added during training can be predicted at once, and after the training."""
    new = np.full((1, 8), 5, np.float32)
    with PersonalModel(tiny()) as model:
        training = add_samples(model).start_training(LONG)
        model.add_sample(new, "sock")
        assert model.predict(new)[0].label == "sock"
        model.rename_class("sock", "tie")
        training.stop()
        training.wait()
        assert model.classes == (*LABELS, "tie")
        assert model.predict(new)[0].label == "tie"
        assert model.evaluate(blobs(20, seed=2)).accuracy > 0.9
        model.fit()
        assert model.predict(new)[0].label == "tie"


@pytest.mark.parametrize("action", ["forget", "remove_class", "load", "close"])
def test_methods_that_replace_the_state_stop_a_training(
    tiny: Convert, tmp_path: Path, action: str
) -> None:
    model = add_samples(PersonalModel(tiny()))
    model.save(tmp_path / "mine.safetensors")
    training = model.start_training(LONG)
    arguments: dict[str, tuple[Any, ...]] = {
        "forget": (model.samples[0].id,),
        "remove_class": ("hat",),
        "load": (tmp_path / "mine.safetensors",),
        "close": (),
    }
    getattr(model, action)(*arguments[action])
    assert not training.running
    assert training.wait().stopped
    model.close()


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere threads have no niceness")
def test_background_training_has_a_lower_priority(tiny: Convert) -> None:
    priorities: list[int] = []

    def record_priority(_: Epoch) -> None:
        priorities.append(os.getpriority(os.PRIO_PROCESS, threading.get_native_id()))

    with PersonalModel(tiny()) as model:
        add_samples(model).fit(1, record_priority)
        model.start_training(1, record_priority).wait()
    own = os.getpriority(os.PRIO_PROCESS, 0)
    assert priorities == [own, min(own + 5, 19)]


def test_a_second_training_is_refused(tiny: Convert) -> None:
    with PersonalModel(tiny()) as model:
        training = add_samples(model).start_training(LONG)
        with pytest.raises(TrainingError, match="a training is running"):
            model.fit()
        training.stop()


def test_a_callback_cannot_wait_for_its_own_training(tiny: Convert) -> None:
    with PersonalModel(tiny()) as model:
        add_samples(model)
        with pytest.raises(TrainingError, match="return False"):
            model.fit(on_epoch=lambda epoch: model.forget(model.samples[0].id))
        assert len(model.samples) == 15


def test_an_error_of_the_callback_is_raised(tiny: Convert) -> None:
    def fail(epoch: Epoch) -> None:
        raise ZeroDivisionError

    with PersonalModel(tiny()) as model:
        training = add_samples(model).start_training(on_epoch=fail)
        with pytest.raises(ZeroDivisionError):
            training.wait()
        with pytest.raises(ZeroDivisionError):
            model.fit(on_epoch=fail)
        model.fit()


def test_a_failed_training_keeps_the_weights_before_it(tiny: Convert) -> None:
    with PersonalModel(tiny(optimizer=sartor.SGD())) as model:
        for sample, label in blobs(20, spread=3):
            model.add_sample(sample, label)
        model.fit(5)
        before = model.predict(PROBE)
        with pytest.raises(TrainingError, match="lower learning rate"):
            model.fit(50, learning_rate=1e38)
        assert model.predict(PROBE) == before


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"epochs": 0}, "epochs must be at least 1, got 0"),
        ({"patience": 0}, "patience must be at least 1"),
        ({"seconds": 0}, "seconds must be above 0"),
        ({"seconds": float("nan")}, "seconds must be above 0"),
        ({"learning_rate": -1}, "learning_rate must be at least 0"),
        ({"learning_rate": float("nan")}, "learning_rate must be at least 0"),
        ({"decay": "exponential"}, "decay .*cosine"),
    ],
)
def test_arguments_out_of_range_are_refused(
    tiny: Convert, arguments: dict[str, Any], message: str
) -> None:
    with PersonalModel(tiny()) as model:
        with pytest.raises(DataError, match="no training samples"):
            model.fit()
        add_samples(model)
        with pytest.raises(DataError, match=message):
            model.fit(**arguments)


def test_no_prediction_sees_a_partial_update(
    tiny: Convert, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each of 10,000 predictions during training comes from one published set of weights."""
    path, variable_sets, predictions = tiny(), [], []
    publish = ModelState.publish

    def record_variables(self: ModelState, state: Any, ood_detector: Any) -> None:
        variable_sets.append(state)
        publish(self, state, ood_detector)

    monkeypatch.setattr(ModelState, "publish", record_variables)
    with PersonalModel(path) as model:
        variable_sets.append(add_samples(model)._state.engine.variables())
        training = model.start_training(LONG)

        def predict() -> None:
            count, end = 0, time.monotonic() + 30
            while count < 5000 or (len(variable_sets) < 5 and time.monotonic() < end):
                predictions.append(tuple(model.predict_values(PROBE).values()))
                count += 1

        threads = [threading.Thread(target=predict) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        training.stop()
        training.wait()
        engine = Engine(path, model.manifest, threads=2)
    expected = set()
    for state in variable_sets:
        engine.restore(state)
        expected.add(tuple(engine.run("infer", {"input": PROBE})["output"][0, :3].tolist()))
    assert len(predictions) >= 10_000
    assert set(predictions) <= expected
    assert len(set(predictions)) > 2


def _until(done: Callable[[], bool]) -> None:
    end = time.monotonic() + 600  # a guard against a hang
    while not done():
        assert time.monotonic() < end, "the training does not progress"
        time.sleep(0.001)
