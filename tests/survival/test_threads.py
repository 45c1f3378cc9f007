"""Any method from any thread: no deadlock, and only documented errors."""

from __future__ import annotations

import faulthandler
import random
import threading
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from scale import scaled

from sartor import PersonalModel
from sartor.errors import DataError, TrainingError
from sartor.runtime import Predictions, StoredSample

Convert = Callable[..., Path]
NAMES = tuple("abcdef")  # names of new classes
ALL = (*NAMES, "g", "h")  # with the names that renaming gives; the capacity of the model
THREADS = 5
PATIENCE = 120  # seconds until a deadlock is assumed


class Users:
    """Several threads that call random methods of one model.

    Args:
        model: model with capacity for all names.
        folder: folder of checkpoints and projects.
        seed: random seed.
        seconds: duration.
    """

    def __init__(self, model: PersonalModel, folder: Path, seed: int, seconds: float) -> None:
        self.model = model
        self.seed = seed
        self.errors: list[BaseException] = []
        self.counts: dict[str, int] = {}
        self._folder = folder
        self._end = time.monotonic() + seconds
        self._methods: dict[str, Callable[[random.Random], object]] = {
            "add": lambda rng: model.add_sample(_sample(rng), rng.choice(NAMES)),
            "hold out": lambda rng: model.add_sample(
                _sample(rng), rng.choice(NAMES), held_out=True
            ),
            "predict": self._predict,
            "evaluate": lambda rng: model.evaluate(),
            "evaluate on others": lambda rng: model.evaluate(
                (_sample(rng), name) for name in model.classes
            ),
            "fit": lambda rng: model.fit(3, warm_start=rng.random() < 0.3),
            "start": lambda rng: model.start_training(1000),
            "pause and resume": self._pause,
            "stop": lambda rng: model.stop(),
            "save": lambda rng: model.save(folder / f"{rng.randrange(3)}.safetensors"),
            "load": lambda rng: model.load(folder / f"{rng.randrange(3)}.safetensors"),
            "rename": lambda rng: model.rename_class(*rng.sample(ALL, 2)),
            "remove": lambda rng: model.remove_class(rng.choice(NAMES)),
            "forget": self._forget,
            "export": lambda rng: model.export_project(folder / "project"),
            "import": lambda rng: model.import_project(folder / "project"),
            "show": lambda rng: (repr(model), model._repr_html_()),
        }

    def run(self) -> None:
        """Start the threads, and wait until they end."""
        threads = [
            threading.Thread(target=self._call_methods, args=(number,), daemon=True)
            for number in range(THREADS)
        ]
        faulthandler.dump_traceback_later(PATIENCE)
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(PATIENCE)
        faulthandler.cancel_dump_traceback_later()
        assert not any(thread.is_alive() for thread in threads), f"a deadlock, seed {self.seed}"

    def _call_methods(self, number: int) -> None:
        rng = random.Random(f"{self.seed} {number}")
        rare = ("import", "export", "remove", "load")
        weights = [1 if method in rare else 12 if method in ("add", "predict") else 4
                   for method in self._methods]  # fmt: skip
        while not self.errors and not self._has_ended():
            (method,) = rng.choices(list(self._methods), weights)
            try:
                self._methods[method](rng)
                self.counts[method] = self.counts.get(method, 0) + 1
            except (DataError, TrainingError, FileNotFoundError):
                pass  # no samples, a running training, an unknown class, no checkpoint
            except BaseException as error:
                self.errors.append(error)

    def _has_ended(self) -> bool:
        """Return whether the time is over and each method was called, or much time is over."""
        late = time.monotonic() - self._end
        return late > PATIENCE / 2 or (late > 0 and len(self.counts) == len(self._methods))

    def _predict(self, rng: random.Random) -> None:
        check(self.model.predict(_sample(rng)))

    def _pause(self, rng: random.Random) -> None:
        training = self.model._jobs._job
        if training is not None:
            training.pause()
            time.sleep(0.01)
            training.resume()

    def _forget(self, rng: random.Random) -> None:
        samples = self.model.samples
        if samples:
            self.model.forget(rng.choice(samples).id)


def _sample(rng: random.Random) -> np.ndarray:
    return np.random.default_rng(rng.randrange(200)).normal(size=(1, 8)).astype(np.float32)


def check(predictions: Predictions) -> None:
    """Check that the probabilities of all classes sum to 1."""
    total = sum(each.probability for each in predictions)
    assert not predictions or abs(total - 1) < 1e-3, f"{predictions} sum to {total}"


@pytest.mark.parametrize("seed", range(scaled(1, 10)))
def test_all_methods_from_several_threads(tiny: Convert, tmp_path: Path, seed: int) -> None:
    path = tiny(classes=8)
    with PersonalModel(path, store=tmp_path / "s", max_samples=60) as model:
        users = Users(model, tmp_path, seed, scaled(4, 30))
        users.run()
        if users.errors:
            raise AssertionError(f"seed {seed}") from users.errors[0]
        assert len(users.counts) == len(users._methods), f"seed {seed}: {users.counts}"
        if model._jobs._job is not None:
            model._jobs._job.stop_and_wait()
        check_consistency(model)
        model.add_sample(np.ones((1, 8), np.float32), next(iter(model.classes), "a"))
        model.fit()
        check_consistency(model)
        model.save(tmp_path / "last.safetensors")
    with PersonalModel(path, store=tmp_path / "s") as model:
        model.load(tmp_path / "last.safetensors")
        check_consistency(model)


def check_consistency(model: PersonalModel) -> None:
    """Check that the store, the classes and the weights agree."""
    labels = {str(sample.label) for sample in model.samples}
    assert labels <= set(model.classes) <= set(ALL)
    assert len(set(model.classes)) == len(model.classes)
    mask, indices = model._state.engine.variables()["class_mask"], model._state.class_indices
    active = set(np.flatnonzero(mask))
    training_labels = {str(sample.label) for sample in model.samples if not sample.held_out}
    assert {indices[label] for label in training_labels} <= active <= set(indices.values())
    assert len(model.samples) <= 60
    check(model.predict(_sample(random.Random(0))))


def test_a_held_out_first_sample_creates_a_class(tiny: Convert, tmp_path: Path) -> None:
    """A model can be opened on such a store."""
    path, sample = tiny(), _sample(random.Random(0))
    with PersonalModel(path, store=tmp_path / "s") as model:
        model.add_sample(sample, "a", held_out=True)
        check(model.predict(sample))
        with pytest.raises(DataError, match="all samples are held out"):
            model.fit()
    with PersonalModel(path, store=tmp_path / "s") as model:
        model.add_sample(-sample, "b")
        model.fit()
        assert model.classes == ("a", "b")
        check(model.predict(sample))


def test_a_sample_added_by_two_threads_is_stored_once(
    tiny: Convert, monkeypatch: pytest.MonkeyPatch
) -> None:
    sample = _sample(random.Random(0))
    with PersonalModel(tiny()) as model:
        number, find, searches = model.add_sample(sample, "a"), model._samples.store.find, []

        def find_late(source: bytes) -> StoredSample | None:
            searches.append(source)
            return find(source) if len(searches) > 1 else None

        monkeypatch.setattr(model._samples.store, "find", find_late)
        assert model.add_sample(sample, "a") == number
        assert len(model.samples) == 1
        assert len(searches) == 2
