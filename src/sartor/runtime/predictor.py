"""A personalizable file that predicts with what it knows: the half of a model that reads."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import TypeAlias, TypeVar

import numpy as np

from ..contract.manifest import Manifest
from ..errors import DataError
from ..litert import open_model
from ..modalities import Sample, prepare
from .data.tasks import TASKS, Label
from .results.evaluation import Evaluator
from .results.records import Evaluation, Prediction, Predictions
from .saved.checkpoint import Checkpoint, read_checkpoint, write_checkpoint
from .state import Knowledge

__all__ = ["FilePath", "Predictor"]

Self = TypeVar("Self", bound="Predictor")
FilePath: TypeAlias = "str | os.PathLike[str]"


class Predictor:
    """Predicts, measures, and takes over what a checkpoint knows; learns nothing by itself.

    Every method may be called from any thread. Use it in a `with` block, or close it.

    Args:
        path: a file that `sartor.convert` has made.
        threads: that one prediction may use; two where there are two, unless told.

    Raises:
        InvalidModelError: there is no such file, it is no model, or a damaged one.
        NotPersonalizableError: it is a model that cannot learn.
    """

    def __init__(self, path: FilePath, *, threads: int | None = None) -> None:
        self.path = Path(path)
        self.manifest: Manifest = open_model(self.path)
        self._task = TASKS[self.manifest.task]
        threads = threads or min(2, os.cpu_count() or 1)
        self._knowledge = Knowledge(self.path, self.manifest, threads)
        self._changing = threading.RLock()
        self._seen = 0
        self._app: dict[str, np.ndarray] = {}

    @property
    def classes(self) -> tuple[str, ...]:
        """The names of the classes (of the numbers, for a regression), by their slots."""
        return tuple(self._knowledge.slots)

    @property
    def capacity(self) -> int:
        """The most classes there can be."""
        return self.manifest.capacity

    def check_known(self, labels: Iterable[str]) -> None:
        """Raise DataError unless the model has all these classes."""
        _check_known(labels, self.classes)

    def predict(self, image: Sample) -> Predictions:
        """Tell what an image shows.

        Args:
            image: a path, a PIL image, an array of uint8 pixels, or one of exactly the input's
                shape; for a base with several inputs a mapping from their names.

        Returns:
            Every class, the most probable first; empty while there are no classes. Its `best` is
            None where the image looks like none of them.

        Raises:
            DataError: the image is not what the model takes, or the model predicts numbers.
            OSError: the file is not there.
        """
        if self.manifest.task == "regression":
            raise DataError("the model predicts numbers and not classes: call predict_values")
        found, known = self._knowledge.answer(prepare(self.manifest.inputs, image))
        return Predictions((Prediction(name, value) for name, value in found.items()), known)

    def predict_values(self, image: Sample) -> dict[str, float]:
        """Tell the output of each class: a number where the model learns numbers, else 0…1.

        Raises:
            DataError, OSError: see `predict`.
        """
        return self._knowledge.answer(prepare(self.manifest.inputs, image))[0]

    def evaluate(self, samples: Iterable[tuple[Sample, Label]]) -> Evaluation:
        """Measure how good the model is.

        Args:
            samples: pairs of an image (see `predict`) and what it is, best such that it was not
                trained on. Taken one at a time, so it may be a generator.

        Raises:
            DataError: there are no samples, one is not what the model takes, or one is of a class
                that the model does not have.
            OSError: a file is not there.
        """
        slots = self._knowledge.slots  # they may change meanwhile
        evaluator = self._evaluator(slots)
        for image, label in samples:
            targets = self._task.targets(label, tuple(slots))
            _check_known(targets, tuple(slots))
            evaluator.add(self._features(image), targets)
        return evaluator.result()

    def save(self, path: FilePath) -> Path:
        """Write what the model has learned to a checkpoint (safetensors), whole or not at all.

        Returns:
            The path.

        Raises:
            OSError: the folder is not there, not writable, or the disk is full; a checkpoint that
                was there before is left as it was.
        """
        with self._changing:
            checkpoint = self._knowledge.checkpoint(self._seen, self._app)
        return write_checkpoint(Path(path), checkpoint)

    def load(self, path: FilePath) -> tuple[str, ...]:
        """Take over what a checkpoint has learned, in place of what the model knows.

        It may come from a model with other room for classes, or another optimizer.

        Returns:
            What could not be taken over, in words; mostly nothing.

        Raises:
            CheckpointError: it is damaged, or belongs to another model; nothing is changed.
            OSError: it is not there.
        """
        return self._take(read_checkpoint(Path(path)), str(path))

    def close(self) -> None:
        """Give the memory back; a second call does nothing."""
        with self._changing:
            self._knowledge.engine.close()

    def __enter__(self: Self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _take(self, checkpoint: Checkpoint, name: str) -> tuple[str, ...]:
        with self._changing:
            notes = self._knowledge.take(checkpoint, name)
            self._seen = checkpoint.samples_seen
            self._app = dict(checkpoint.app)
        return notes

    def _features(self, image: Sample) -> list[np.ndarray]:
        """The features [1, …] of one image."""
        return self._knowledge.features(prepare(self.manifest.inputs, image))

    def _evaluator(self, slots: Mapping[str, int]) -> Evaluator:
        return Evaluator(self._knowledge.engine, self.manifest, slots)


def _check_known(labels: Iterable[str], classes: Sequence[str]) -> None:
    for label in labels:
        if label not in classes:
            known = ", ".join(classes) or "none"
            raise DataError(f"the model has no class {label!r}; its classes: {known}")
