"""The one class that an app needs: add samples, train, predict, save."""

from __future__ import annotations

import os
import threading
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from types import TracebackType
from typing import TypeAlias

import numpy as np

from ..contract import FEATURES, OUTPUT, numbered
from ..errors import DataError, NotPersonalizableError, TrainingError
from ..manifest import Manifest
from ..preprocess import Sample, prepare
from .adapt import adapt
from .checkpoint import Checkpoint, read_checkpoint, write_checkpoint
from .classes import ClassMaker
from .engine import Engine
from .evaluator import Evaluator
from .files import open_model
from .html import model_html
from .policy import default_schedule
from .results import Evaluation, History, Prediction
from .samples import Samples
from .thumbnails import Thumbnails
from .trainer import EpochCallback, Trainer

__all__ = ["PersonalModel"]

_Path: TypeAlias = "str | os.PathLike[str]"


class PersonalModel:
    """A personalizable file at work: it learns classes from samples, on this device.

    Every method may be called from any thread. Predictions go on while the model learns; what
    else changes it waits until it has learned. Use it in a `with` block, or close it.

    Args:
        path: a file that `sartor.convert` has made.
        threads: that one call of LiteRT may use; two where there are two, unless told.
        thumbnails: keep small pictures of the first samples in memory, for a notebook to show.

    Raises:
        InvalidModelError: there is no such file, it is no model, or a damaged one.
        NotPersonalizableError: it is a model that cannot learn.
    """

    def __init__(
        self, path: _Path, *, threads: int | None = None, thumbnails: bool = False
    ) -> None:
        self.path = Path(path)
        self.manifest: Manifest = open_model(self.path)
        if self.manifest.task != "classification":
            raise NotPersonalizableError(
                f"{path} is made for {self.manifest.task}, which PersonalModel does not do yet"
            )
        self._engine = Engine(
            self.path, self.manifest, threads=threads or min(2, os.cpu_count() or 1)
        )
        self._maker = ClassMaker(self._engine, self.manifest)
        self._slots: list[str | None] = list(self.manifest.classes)
        self._made: set[str] = set()
        self._samples = Samples()
        self._thumbnails = Thumbnails(self.manifest.inputs) if thumbnails else None
        self._seen = 0
        self._threshold: float | None = None
        self._app: dict[str, np.ndarray] = {}
        self._history: History | None = None
        self._changing = threading.RLock()
        self._stop = threading.Event()

    @property
    def classes(self) -> tuple[str, ...]:
        """The names of the classes, in the order of their slots."""
        return tuple(name for name in self._slots if name is not None)

    @property
    def capacity(self) -> int:
        """The most classes there can be."""
        return self.manifest.capacity

    @property
    def samples(self) -> tuple[str, ...]:
        """The class name of each sample that `fit` learns from."""
        return self._samples.labels

    def check_room(self, labels: Iterable[str]) -> None:
        """Raise DataError unless there is room for all these classes, new and known ones."""
        new = [label for label in dict.fromkeys(labels) if label not in self._slots]
        if len(new) > self._slots.count(None):
            raise DataError(
                f"there is no room for {', '.join(map(repr, new))}: the model has room for "
                f"{self.capacity} classes, and {len(self.classes) + len(new)} are asked for. "
                "Convert the base again with a larger --capacity; a checkpoint that you have, or "
                "save now, loads into it"
            )

    def check_known(self, labels: Iterable[str]) -> None:
        """Raise DataError unless the model has all these classes."""
        for label in labels:
            if label not in self.classes:
                known = ", ".join(self.classes) or "none"
                raise DataError(f"the model has no class {label!r}; its classes: {known}")

    def add_sample(self, image: Sample, label: str) -> None:
        """Add a sample to learn from; its features are kept, and not itself.

        The first sample of a new class makes the class, which is usable at once.

        Args:
            image: a path, a PIL image, an array of uint8 pixels, or one of exactly the input's
                shape; for a base with several inputs a mapping from their names.
            label: the name of its class.

        Raises:
            DataError: the image or the label is not what the model takes, or there is no room for
                another class; nothing is changed.
            OSError: the file is not there.
        """
        if not isinstance(label, str) or not label.strip():
            raise DataError(f"a label is the name of a class, as 'hat'; got {label!r}")
        self.check_room([label])
        features = self._features(image)
        with self._changing:
            self._make_class(label, features)
            self._samples.add(features, label)
            self._seen += 1
            if self._thumbnails is not None:
                self._thumbnails.add(label, prepare(self.manifest.inputs, image))

    def fit(
        self,
        epochs: int | None = None,
        on_epoch: EpochCallback | None = None,
        *,
        learning_rate: float | None = None,
        seed: int = 0,
    ) -> History:
        """Learn from all samples, each class counting the same.

        Training starts anew, so that the outcome depends on the samples alone and not on what was
        learned before. Where the model knows a class of which it has no samples here, from a
        checkpoint that was loaded, it goes on from the present weights instead. When it is stopped
        while the weights of before were still better, they are kept.

        Args:
            epochs: passes over the samples; chosen from their number unless told.
            on_epoch: called after each with an `Epoch`; returning False ends the training.
            learning_rate: of the first step, from where it falls to 0; chosen from the samples'
                features unless told. 0 changes nothing, and measures the loss.
            seed: of the order of the samples; the same one gives the same weights.

        Raises:
            DataError: there are no samples, or an argument makes no sense.
            TrainingError: the loss is no longer finite; the weights are those of before.
        """
        if epochs is not None and epochs < 1:
            raise DataError(f"epochs must be at least 1, got {epochs}")
        if learning_rate is not None and not 0 <= learning_rate < float("inf"):
            raise DataError(f"learning_rate must be at least 0 and finite, got {learning_rate}")
        with self._changing:
            if not len(self._samples):
                raise DataError("there is nothing to learn from: add samples with add_sample first")
            self._stop.clear()
            features, slots = self._training_set()
            schedule = default_schedule(
                self.manifest, features, epochs=epochs, learning_rate=learning_rate
            )
            before = self._engine.state()
            if learning_rate != 0:
                self._start_anew()
            trainer = Trainer(self._engine, self.manifest, features, slots, schedule, self._stop)
            try:
                history = trainer.run(seed, on_epoch)
            except TrainingError:
                self._engine.restore(before)
                raise
            if history.stopped:
                self._keep_the_better(before)
            self._history = history
            return history

    def stop(self) -> None:
        """Let a `fit` that runs end after its present step; what it has learned by then stays."""
        self._stop.set()

    def predict(self, image: Sample) -> list[Prediction]:
        """Tell what an image shows.

        Args:
            image: see `add_sample`.

        Returns:
            Every class, the most probable first; empty while there are no classes.

        Raises:
            DataError: the image is not what the model takes.
            OSError: the file is not there.
        """
        inputs = prepare(self.manifest.inputs, image)
        with self._engine.lock:
            output = self._engine.run("infer", inputs)[OUTPUT][0]
            slots = list(self._slots)
        found = [
            Prediction(name, float(output[slot]))
            for slot, name in enumerate(slots)
            if name is not None
        ]
        return sorted(found, key=lambda each: -each.probability)

    def evaluate(self, samples: Iterable[tuple[Sample, str]] | None = None) -> Evaluation:
        """Measure how good the model is.

        Args:
            samples: pairs of an image (see `add_sample`) and the name of its class, best such
                that it was not trained on. Taken one at a time, so it may be a generator. None
                measures on the samples that were added.

        Raises:
            DataError: there are no samples, one is not what the model takes, or one is of a class
                that the model does not have.
            OSError: a file is not there.
        """
        slots = {name: slot for slot, name in enumerate(self._slots) if name is not None}
        evaluator = Evaluator(
            self._engine, self.manifest, {slot: name for name, slot in slots.items()}
        )
        if samples is None:
            for features, label in self._samples:
                evaluator.add(features, slots[label])
        else:
            for image, label in samples:
                self.check_known([label])
                evaluator.add(self._features(image), slots[label])
        return evaluator.result()

    def save(self, path: _Path) -> Path:
        """Write what the model has learned to a checkpoint (safetensors), whole or not at all.

        Returns:
            The path.

        Raises:
            OSError: the folder is not there, not writable, or the disk is full; a checkpoint that
                was there before is left as it was.
        """
        with self._changing:
            checkpoint = Checkpoint(
                classes=tuple(self._slots),
                fingerprints=self.manifest.fingerprints,
                state=self._engine.state(),
                samples_seen=self._seen,
                threshold=self._threshold,
                app=self._app,
            )
        return write_checkpoint(Path(path), checkpoint)

    def load(self, path: _Path) -> tuple[str, ...]:
        """Take over what a checkpoint has learned, in place of what the model knows.

        It may come from a model with other room for classes, or another optimizer. Samples that
        were added stay.

        Returns:
            What could not be taken over, in words; mostly nothing.

        Raises:
            CheckpointError: it is damaged, or belongs to another model; nothing is changed.
            OSError: it is not there.
        """
        checkpoint = read_checkpoint(Path(path))
        with self._changing:
            initial = self._engine.initial_state()
            adapted = adapt(checkpoint, self.manifest, initial, str(path))
            with self._engine.lock:
                self._engine.restore(adapted.state)
                self._slots = list(adapted.classes)
            self._made = set()
            self._seen = checkpoint.samples_seen
            self._threshold = checkpoint.threshold
            self._app = dict(checkpoint.app)
            self._history = None
        return adapted.notes

    def close(self) -> None:
        """Give the memory back, after a `fit` that runs has ended; a second call does nothing."""
        self._stop.set()
        with self._changing:
            self._engine.close()

    def __enter__(self) -> PersonalModel:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _repr_html_(self) -> str:
        """How a notebook shows it."""
        counts = Counter(self.samples)
        samples = {name: counts[name] for name in self.classes}
        kept = self._thumbnails
        thumbnails = {} if kept is None else {name: kept.of(name) for name in samples}
        return model_html(str(self.path), self.capacity, samples, thumbnails, self._history)

    def __repr__(self) -> str:
        known = f"{len(self.classes)} of {self.capacity} classes"
        return f"<PersonalModel {self.path}: {known}, {len(self._samples)} samples>"

    def _features(self, image: Sample) -> list[np.ndarray]:
        """The features [1, …] of one image."""
        outputs = self._engine.run("infer", prepare(self.manifest.inputs, image))
        return [outputs[numbered(FEATURES, i)] for i in range(len(self.manifest.features))]

    def _make_class(self, label: str, features: list[np.ndarray]) -> None:
        """Imprint a class of a first sample, unless it is there and has been taught already."""
        if label in self._made:
            return
        self.check_room([label])
        known = label in self._slots
        slot = self._slots.index(label if known else None)
        if not known or self._maker.is_blank(slot):
            self._maker.imprint(slot, features)
            self._slots[slot] = label
        self._made.add(label)

    def _start_anew(self) -> None:
        """Make every class again from its samples, as if nothing had been learned.

        Training that goes on from old weights as samples come in ends up to three points lower.
        Where a class has no samples here, from a checkpoint that was loaded, what is known of it
        must not be lost: then nothing is done.
        """
        named = {name: slot for slot, name in enumerate(self._slots) if name is not None}
        taught = [name for name in named if name in self._samples.labels]
        if not all(name in taught or self._maker.is_blank(slot) for name, slot in named.items()):
            return
        self._engine.restore(self._engine.initial_state())
        for slot in named.values():
            self._maker.wipe(slot)
        for name in taught:
            self._maker.imprint(named[name], self._samples.features(name))

    def _keep_the_better(self, before: dict[str, np.ndarray]) -> None:
        """After a training that was stopped: its weights, unless those of before were better."""
        after, loss = self._engine.state(), self.evaluate().loss
        self._engine.restore(before)
        if self.evaluate().loss > loss:
            self._engine.restore(after)

    def _training_set(self) -> tuple[list[np.ndarray], np.ndarray]:
        """All features [N, …], and the slot of each sample."""
        labels = self._samples.labels
        for label in dict.fromkeys(labels):  # a checkpoint loaded since may not have the class
            self._make_class(label, self._samples.features(label))
        slots = {name: slot for slot, name in enumerate(self._slots)}
        return self._samples.features(), np.array([slots[label] for label in labels])
