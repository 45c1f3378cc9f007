"""One training from beginning to end, on an engine that nobody else uses."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from ...contract.manifest import Manifest
from ...contract.names import RUN, TEMPERATURE
from ...errors import DataError, TrainingError
from ...litert import Engine
from ..classes import ClassMaker
from ..confidence.cross_validation import Honesty, judge
from ..confidence.out_of_distribution import Familiarity
from ..data.batches import Batch
from ..data.dataset import TrainingSet, training_set
from ..data.measure import measure
from ..results.records import Epoch, History
from ..store import SampleSet
from .control import Control
from .schedule import DECAYS, default_schedule
from .trainer import EpochCallback, Trainer

__all__ = ["Learner", "Lesson", "Publish", "Settings"]

State = Mapping[str, np.ndarray]
Publish = Callable[[State, "Familiarity | None"], None]
"""Takes the weights that predictions are to use from now on."""

_PUBLISH_EVERY = 0.1  # seconds; the one that predicts is not to be kept busy


@dataclass(frozen=True)
class Settings:
    """How to learn; each as `PersonalModel.fit` describes it.

    Raises:
        DataError: one makes no sense.
    """

    epochs: int | None = None
    seconds: float | None = None
    patience: int | None = None
    learning_rate: float | None = None
    decay: str = "cosine"
    warm_start: bool = False
    seed: int = 0

    def __post_init__(self) -> None:
        for name, count in (("epochs", self.epochs), ("patience", self.patience)):
            if count is not None and count < 1:
                raise DataError(f"{name} must be at least 1, got {count}")
        if self.seconds is not None and not 0 < self.seconds < math.inf:
            raise DataError(f"seconds must be above 0 and finite, got {self.seconds}")
        if self.learning_rate is not None and not 0 <= self.learning_rate < math.inf:
            raise DataError(
                f"learning_rate must be at least 0 and finite, got {self.learning_rate}"
            )
        if self.decay not in DECAYS:
            raise DataError(f"decay must be one of {', '.join(DECAYS)}; got {self.decay!r}")

    @property
    def changes_nothing(self) -> bool:
        """Whether it only measures."""
        return self.learning_rate == 0


@dataclass(frozen=True)
class Lesson:
    """What is to be learned, and from where.

    Attributes:
        samples: to learn from.
        held_out: to watch, and not to learn from; None watches nothing.
        slots: class name → slot, of all classes.
        state: the weights that are in use.
        familiarity: likewise.
        warm: go on from `state`; else start anew.
        settings: how.
    """

    samples: SampleSet
    held_out: SampleSet | None
    slots: Mapping[str, int]
    state: State
    familiarity: Familiarity | None
    warm: bool
    settings: Settings


class Learner:
    """Learns lessons, one after another.

    Args:
        path: of the file.
        manifest: what it says of itself.
    """

    def __init__(self, path: Path, manifest: Manifest) -> None:
        self._engine = Engine(path, manifest, threads=1)  # two are slower for steps this small
        self._engine.run("initialize", {RUN: np.ones(1, np.float32)})
        self._initial = self._engine.variables()
        self._manifest = manifest
        self._maker = ClassMaker(self._engine, manifest)
        self._batch = Batch(manifest)

    def close(self) -> None:
        """Give the memory back."""
        self._engine.close()

    def learn(
        self, lesson: Lesson, control: Control, publish: Publish, on_epoch: EpochCallback | None
    ) -> History:
        """Train, publishing whole sets of weights on the way and at the end.

        A training that is stopped publishes the better of the weights before and after it; one
        that fails those of before.

        Raises:
            TrainingError: the loss is no longer finite.
        """
        try:
            history = self._train(lesson, control, self._publishing(lesson, publish, on_epoch))
        except TrainingError:
            publish(lesson.state, lesson.familiarity)
            raise
        except BaseException:  # of the callback
            publish(self._better(lesson), lesson.familiarity)
            raise
        state = self._better(lesson) if history.stopped else self._learned(lesson)
        publish(state, lesson.familiarity)
        if history.stopped or lesson.warm or lesson.settings.changes_nothing:
            return history
        honesty = self._judged(lesson, control)
        if honesty is None:
            return history
        temperature = np.full(1, honesty.temperature, np.float32)
        publish({**state, TEMPERATURE: temperature}, honesty.familiarity)
        return replace(
            history,
            expected_accuracy=honesty.accuracy,
            calibration_error=honesty.calibration_error,
        )

    def _publishing(
        self, lesson: Lesson, publish: Publish, on_epoch: EpochCallback | None
    ) -> EpochCallback:
        """Publish at the ends of epochs, not too often, and then call back."""
        last = time.monotonic()

        def ended(epoch: Epoch) -> object:
            nonlocal last
            if time.monotonic() - last >= _PUBLISH_EVERY:
                publish(self._learned(lesson), lesson.familiarity)
                last = time.monotonic()
            return None if on_epoch is None else on_epoch(epoch)

        return ended

    def _train(
        self, lesson: Lesson, control: Control, on_epoch: EpochCallback | None = None
    ) -> History:
        """Train from where the lesson says."""
        samples = self._set(lesson, lesson.samples)
        self._engine.restore(lesson.state)
        mixed = samples.mixed(self._manifest.batch, lesson.settings.seed)
        some = [each[mixed] for each in samples.features]
        if not lesson.warm and not lesson.settings.changes_nothing:
            self._start_anew(lesson, samples, some)
        schedule = default_schedule(
            self._manifest,
            samples.features,
            samples=samples.effective_count,
            outputs=len(lesson.slots),
            magnitude=samples.magnitude,
            length=self._maker.length_seen(some) if lesson.warm else None,
            epochs=lesson.settings.epochs,
            learning_rate=lesson.settings.learning_rate,
            decay=lesson.settings.decay,
        )
        held_out = None if lesson.held_out is None else self._set(lesson, lesson.held_out)
        trainer = Trainer(
            self._engine,
            self._manifest,
            samples,
            schedule,
            control,
            held_out,
            lesson.settings.patience,
        )
        return trainer.run(lesson.settings.seed, on_epoch)

    def _start_anew(self, lesson: Lesson, samples: TrainingSet, some: Sequence[np.ndarray]) -> None:
        """View some samples of all classes and make each of its own, as if nothing were known.

        Training that goes on from old weights as samples come in ends up to three points lower.
        """
        self._engine.restore(self._initial)
        self._maker.view(some)
        for slot in lesson.slots.values():
            self._maker.wipe(slot)
        for slot in lesson.slots.values():
            rows = samples.targets[:, slot] > 0
            if rows.any():
                self._maker.imprint(slot, [each[rows] for each in samples.features])

    def _learned(self, lesson: Lesson) -> State:
        """The present weights, as sure of what they say as those of before."""
        return {**self._engine.variables(), TEMPERATURE: lesson.state[TEMPERATURE]}

    def _better(self, lesson: Lesson) -> State:
        """What was learned so far, unless the weights of before are at least as good."""
        learned, samples = self._learned(lesson), self._set(lesson, lesson.samples)
        losses = []
        for state in (learned, lesson.state):
            self._engine.restore(state)
            losses.append(measure(self._engine, self._batch, samples)[0])
        return learned if losses[0] < losses[1] else lesson.state

    def _judged(self, lesson: Lesson, control: Control) -> Honesty | None:
        """Learn again from parts of the samples, to see what it says of those left out.

        The engine holds what was learned from all, at temperature 1.
        """

        def trial(learned: np.ndarray, left_out: np.ndarray) -> np.ndarray | None:
            part = replace(lesson, samples=lesson.samples.take(learned), held_out=None)
            if self._train(part, control).stopped:
                return None
            rest = self._set(lesson, lesson.samples.take(left_out))
            return measure(self._engine, self._batch, rest)[1]

        samples = self._set(lesson, lesson.samples)
        _, fitted = measure(self._engine, self._batch, samples)
        return judge(self._manifest, samples, fitted, trial, lesson.settings.seed)

    def _set(self, lesson: Lesson, found: SampleSet) -> TrainingSet:
        return training_set(self._manifest, found, lesson.slots)
