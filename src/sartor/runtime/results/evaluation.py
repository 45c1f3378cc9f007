"""How good a model is: loss, accuracy and who is taken for whom."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from ...contract.manifest import Manifest
from ...errors import DataError
from ...litert import Engine
from ..confidence.temperature import expected_calibration_error
from ..data.batches import Batch, evaluate_batches
from ..data.dataset import Dataset
from ..data.tasks import TASKS
from .records import Evaluation

__all__ = ["Evaluator"]


class Evaluator:
    """Takes samples one at a time, so that many fit in little memory.

    Args:
        engine: holds the model; nothing in it changes.
        manifest: of its file.
        classes: name → slot of the classes there are.
    """

    def __init__(self, engine: Engine, manifest: Manifest, classes: Mapping[str, int]) -> None:
        self._engine = engine
        self._manifest = manifest
        self._batch = Batch(manifest)
        self._classes = classes
        self._waiting: list[tuple[Sequence[np.ndarray], np.ndarray]] = []
        self._outputs: list[np.ndarray] = []
        self._targets: list[np.ndarray] = []
        self._loss = 0.0

    def add(self, features: Sequence[np.ndarray], targets: Mapping[str, float]) -> None:
        """Measure one sample: features float32 [1, …] each, and its target by class."""
        row = np.full((1, self._manifest.capacity), np.nan, np.float32)
        row[0, [self._classes[name] for name in targets]] = list(targets.values())
        self._waiting.append((features, row))
        self._targets.append(row)
        if len(self._waiting) == self._batch.size:
            self._measure()

    def result(self) -> Evaluation:
        """The measure of all that was added; raises DataError when that is nothing."""
        self._measure()
        if not self._targets:
            raise DataError("there are no samples to evaluate on: give some")
        slots = list(self._classes.values())
        targets = np.concatenate(self._targets)[:, slots]
        outputs = np.concatenate(self._outputs)[:, slots]
        known = ~np.isnan(targets)
        plain = Evaluation(
            accuracy=float("nan"),
            loss=self._loss / len(targets),
            samples=len(targets),
            labels=tuple(self._classes),
            per_class=dict.fromkeys(self._classes),
            confusion=np.zeros((0, 0), np.int64),
        )
        return _DETAILS[self._manifest.task](plain, outputs, np.nan_to_num(targets), known)

    def _measure(self) -> None:
        if not self._waiting:
            return
        parts = zip(*(features for features, _ in self._waiting), strict=True)
        targets = np.concatenate([row for _, row in self._waiting])
        count = len(targets)
        per_output = self._manifest.weights_per_output
        samples = Dataset(
            [np.concatenate(each) for each in parts],
            np.nan_to_num(targets),
            np.asarray(~np.isnan(targets) if per_output else np.ones(count), np.float32),
            np.arange(count),
            np.ones(count, np.float32),
        )
        loss, outputs = evaluate_batches(self._engine, self._batch, samples)
        self._loss += loss * count
        self._outputs.append(outputs)
        self._waiting.clear()


def _of_one_class(
    plain: Evaluation, outputs: np.ndarray, targets: np.ndarray, known: np.ndarray
) -> Evaluation:
    wanted, found = targets.argmax(1), outputs.argmax(1)
    confusion = np.zeros((len(plain.labels),) * 2, np.int64)
    np.add.at(confusion, (wanted, found), 1)
    return replace(
        plain,
        accuracy=float((wanted == found).mean()),
        per_class=_means(plain.labels, confusion.diagonal(), confusion.sum(1)),
        confusion=confusion,
        calibration_error=expected_calibration_error(outputs, targets),
    )


def _of_several(
    plain: Evaluation, outputs: np.ndarray, targets: np.ndarray, known: np.ndarray
) -> Evaluation:
    right = TASKS["multi_label"].right(outputs, targets, known)
    return replace(
        plain,
        accuracy=float(right.sum() / known.sum()),
        per_class=_means(plain.labels, right.sum(0), known.sum(0)),
    )


def _of_numbers(
    plain: Evaluation, outputs: np.ndarray, targets: np.ndarray, known: np.ndarray
) -> Evaluation:
    distances = np.where(known, np.abs(outputs - targets), 0)
    return replace(plain, absolute_error=_means(plain.labels, distances.sum(0), known.sum(0)))


_DETAILS = {
    "classification": _of_one_class,
    "multi_label": _of_several,
    "regression": _of_numbers,
}


def _means(labels: Sequence[str], sums: np.ndarray, counts: np.ndarray) -> dict[str, float | None]:
    return {
        label: float(total / count) if count else None
        for label, total, count in zip(labels, sums, counts, strict=True)
    }
