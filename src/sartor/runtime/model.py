"""The one class that an app needs: add samples, train, predict, save."""

from __future__ import annotations

import contextlib
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from ..errors import DataError, TrainingError
from .collector import Collector
from .confidence.cross_validation import divided
from .predictor import FilePath
from .results.html import model_html
from .results.records import History
from .saved.checkpoint import read_checkpoint
from .saved.project import CHECKPOINT, MODEL, SAMPLES, pack, unpacked
from .store import SampleSet
from .training.control import Control
from .training.fit import Learner, Lesson, Settings
from .training.job import Training
from .training.trainer import EpochCallback

__all__ = ["PersonalModel"]

_PICTURES = 6  # of one class, in a notebook


class PersonalModel(Collector):
    """A personalizable file at work: it learns classes from samples, on this device.

    Every method may be called from any thread. Predictions go on while the model learns, with the
    last whole set of weights. Use it in a `with` block, or close it.

    Args:
        path: a file that `sartor.convert` has made.
        store: a file that keeps the samples (SQLite), made where there is none; None keeps them in
            memory.
        threads: that one prediction may use; two where there are two, unless told.
        thumbnails: keep a small picture of each sample, for a notebook or an app to show.
        photos: keep each sample itself, so that another base can embed it again.
        max_samples, max_bytes: what the store may hold; a good part is kept where it is full.

    Raises:
        InvalidModelError: there is no such file, it is no model, or a damaged one.
        NotPersonalizableError: it is a model that cannot learn.
        StoreError: the store is damaged, or belongs to another base.
        DataError: its samples are of more classes than there is room for.
        OSError: the store cannot be opened or made.
    """

    _training: Training | None = None
    _learner: Learner | None = None
    _history: History | None = None

    def fit(
        self,
        epochs: int | None = None,
        on_epoch: EpochCallback | None = None,
        *,
        seconds: float | None = None,
        patience: int | None = None,
        learning_rate: float | None = None,
        decay: str = "cosine",
        warm_start: bool = False,
        seed: int = 0,
    ) -> History:
        """Learn from all samples, each class counting the same.

        Training starts anew, so that the outcome depends on the samples alone and not on what was
        learned before. Where the model knows a class of which it has no samples, from a checkpoint
        that was loaded, it goes on from the present weights instead. When it is stopped while the
        weights of before were still better, they are kept.

        After it, parts of the training are done again with some samples left out in turn, to fit
        how sure the model may be of what it says, and what it is to hold for none of its classes.

        Args:
            epochs: passes over the samples; chosen from their number unless told.
            on_epoch: called after each with an `Epoch`, in the training's thread; returning False
                ends the training.
            seconds: end after this time at the latest; the learning rate falls with it.
            patience: end after so many epochs in which the loss on held-out samples did not fall,
                with the weights that were best. Where none is held out, a third of each class is,
                for this training.
            learning_rate: of the first step; chosen from the samples' features unless told. 0
                changes nothing, and measures the loss.
            decay: how the learning rate falls: `cosine`, `linear`, or `constant`.
            warm_start: go on from the present weights.
            seed: of all that is drawn at random; the same one gives the same weights, where no
                time is set.

        Raises:
            DataError: there are no samples, or an argument makes no sense.
            TrainingError: the model is learning already; or the loss is no longer finite, and the
                weights are those of before.
        """
        training = self._begin(
            Settings(epochs, seconds, patience, learning_rate, decay, warm_start, seed),
            on_epoch,
            background=False,
        )
        try:
            return training.wait()
        except BaseException:  # also Ctrl-C, while it waits
            training.settle()
            raise

    def start_training(
        self,
        epochs: int | None = None,
        on_epoch: EpochCallback | None = None,
        *,
        seconds: float | None = None,
        patience: int | None = None,
        learning_rate: float | None = None,
        decay: str = "cosine",
        warm_start: bool = False,
        seed: int = 0,
    ) -> Training:
        """Learn in the background: `fit` that does not wait.

        On Linux and Android its thread gets less of a busy processor than the others, so that a
        live preview stays smooth.

        Args:
            epochs: see `fit`.
            on_epoch: likewise, as the others.
            seconds: likewise.
            patience: likewise.
            learning_rate: likewise.
            decay: likewise.
            warm_start: likewise.
            seed: likewise.

        Returns:
            The training, to pause, resume, stop and wait for.

        Raises:
            DataError, TrainingError: see `fit`; what goes wrong later is raised by its `wait`.
        """
        return self._begin(
            Settings(epochs, seconds, patience, learning_rate, decay, warm_start, seed),
            on_epoch,
            background=True,
        )

    def stop(self) -> None:
        """Let a training that runs end after its present step; what it has learned stays."""
        training = self._training
        if training is not None:
            training.stop()

    def load(self, path: FilePath) -> tuple[str, ...]:
        """Take over what a checkpoint has learned, in place of what the model knows.

        It may come from a model with other room for classes, or another optimizer. The samples
        stay; a training that runs is stopped.

        Returns:
            What could not be taken over, in words; mostly nothing.

        Raises:
            CheckpointError: it is damaged, or belongs to another model; nothing is changed.
            OSError: it is not there.
        """
        notes = super().load(path)
        self._history = None
        return notes

    def export_project(self, path: FilePath) -> Path:
        """Write all that the user has into one file, to move to another device.

        It holds the model, what it has learned, and the samples, kept photos included.

        Returns:
            The path.

        Raises:
            OSError: it cannot be written; a file that was there before is left as it was.
        """
        with tempfile.TemporaryDirectory(prefix="sartor-") as name, self._changing:
            folder = Path(name)
            shutil.copyfile(self.path, folder / MODEL)
            self.save(folder / CHECKPOINT)
            self._store.backup(folder / SAMPLES)
            return pack(folder, Path(path))

    def import_project(self, path: FilePath) -> tuple[str, ...]:
        """Take over what a project has, in place of what is known and of the samples.

        Returns:
            What could not be taken over, in words; mostly nothing.

        Raises:
            DataError: it is no project, or a damaged one.
            CheckpointError, StoreError: it is of another model; nothing is changed.
            OSError: it is not there, or the store cannot be written.
        """
        with unpacked(Path(path)) as folder, self._alone():
            before = self._knowledge.checkpoint(self._seen, self._app)
            notes = self._take(read_checkpoint(folder / CHECKPOINT), str(path))
            try:
                self._store.restore(folder / SAMPLES)
            except BaseException:
                self._take(before, "what was known")
                raise
            self._history = None
            self._make_stored_classes()
        return notes

    def close(self) -> None:
        """Stop a training that runs, and give memory and files back; a second call does nothing."""
        with self._alone():
            super().close()
            if self._learner is not None:
                self._learner.close()

    def _repr_html_(self) -> str:
        """How a notebook shows it."""
        counts = self._store.counts()
        samples = {name: counts.get(name, 0) for name in self.classes}
        pictures = {name: self._store.thumbnails(name, _PICTURES) for name in samples}
        return model_html(str(self.path), self.capacity, samples, pictures, self._history)

    def __repr__(self) -> str:
        known = f"{len(self.classes)} of {self.capacity} classes"
        return f"<PersonalModel {self.path}: {known}, {len(self._store)} samples>"

    def _begin(
        self, settings: Settings, on_epoch: EpochCallback | None, *, background: bool
    ) -> Training:
        """Start a training; in the background others go first, see `Training.start`."""
        control = Control(settings.seconds)
        with self._changing:
            if self._training is not None and self._training.running:
                raise TrainingError("the model is learning already: wait for it, or stop it")
            if not len(self._store):
                raise DataError("there is nothing to learn from: add samples with add_sample first")
            self._training = Training(lambda: self._learn(settings, control, on_epoch), control)
            return self._training.start(background)

    def _learn(
        self, settings: Settings, control: Control, on_epoch: EpochCallback | None
    ) -> History:
        """What a training does, in its thread."""
        with self._changing:
            lesson = self._lesson(settings)
        if self._learner is None:
            self._learner = Learner(self.path, self.manifest)
        self._history = self._learner.learn(lesson, control, self._knowledge.publish, on_epoch)
        return self._history

    def _lesson(self, settings: Settings) -> Lesson:
        """What there is to learn now."""
        samples, held_out = self._select(held_out=False), None
        if not len(samples):
            raise DataError("there is nothing to learn from: all samples are held out")
        if settings.patience is not None:
            samples, held_out = self._split(samples, settings.seed)
        slots, taught = self._knowledge.slots, self._store.counts()
        foreign = [name for name in slots if not taught.get(name)]
        state, familiarity = self._knowledge.begin()
        warm = not all(self._knowledge.is_blank(name) for name in foreign)
        return Lesson(
            samples, held_out, slots, state, familiarity, settings.warm_start or warm, settings
        )

    def _split(self, samples: SampleSet, seed: int) -> tuple[SampleSet, SampleSet]:
        """Samples to learn from, and to watch."""
        held_out = self._select(held_out=True)
        if len(held_out):
            return samples, held_out
        slots = np.nan_to_num(samples.targets).argmax(1)
        watched = divided(slots, samples.samples, seed) == 0
        if not watched.any():
            raise DataError(
                "patience needs samples to watch: add a second one of a class, or some with "
                "held_out=True"
            )
        return samples.take(~watched), samples.take(watched)

    @contextlib.contextmanager
    def _alone(self) -> Iterator[None]:
        """No training runs, and no other thread changes the model, until the block ends."""
        while True:
            training = self._training
            if training is not None:
                training.settle()
            with self._changing:
                if self._training is None or not self._training.running:
                    yield
                    return
