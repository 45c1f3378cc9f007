"""How good a model is: loss, accuracy and who is taken for whom."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..contract import LOSS, OUTPUT
from ..errors import DataError
from ..manifest import Manifest
from .batches import Batch
from .engine import Engine
from .results import Evaluation

__all__ = ["Evaluator"]


class Evaluator:
    """Takes samples one at a time, so that many fit in little memory.

    Args:
        engine: holds the model; nothing in it changes.
        manifest: of its file.
        classes: slot → name of the classes there are.
    """

    def __init__(self, engine: Engine, manifest: Manifest, classes: dict[int, str]) -> None:
        self._engine = engine
        self._size = manifest.batch
        self._batch = Batch(manifest)
        self._classes = classes
        self._waiting: list[tuple[Sequence[np.ndarray], int]] = []
        self._loss = 0.0
        self._confusion = np.zeros((manifest.capacity, manifest.capacity), np.int64)

    def add(self, features: Sequence[np.ndarray], slot: int) -> None:
        """Measure one sample: features float32 [1, …] each, and its class."""
        self._waiting.append((features, slot))
        if len(self._waiting) == self._size:
            self._measure()

    def result(self) -> Evaluation:
        """The measure of all that was added; raises DataError when that is nothing."""
        self._measure()
        slots = list(self._classes)
        confusion = self._confusion[np.ix_(slots, slots)]
        count, right = int(confusion.sum()), confusion.diagonal()
        if not count:
            raise DataError("there are no samples to evaluate on: give some")
        labels = tuple(self._classes.values())
        totals = confusion.sum(1)
        per_class = {
            label: float(right[i] / totals[i]) if totals[i] else None
            for i, label in enumerate(labels)
        }
        accuracy = float(right.sum() / count)
        return Evaluation(accuracy, self._loss / count, count, labels, per_class, confusion)

    def _measure(self) -> None:
        if not self._waiting:
            return
        parts = zip(*(features for features, _ in self._waiting), strict=True)
        features = [np.concatenate(each) for each in parts]
        slots = np.array([slot for _, slot in self._waiting])
        inputs = self._batch.labelled(features, np.arange(len(slots)), slots)
        outputs = self._engine.run("evaluate", inputs)
        self._loss += float(outputs[LOSS][0]) * len(slots)
        np.add.at(self._confusion, (slots, outputs[OUTPUT][: len(slots)].argmax(1)), 1)
        self._waiting.clear()
