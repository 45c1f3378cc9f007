"""Evaluation of a model: loss, accuracy, confusion matrix and calibration error."""

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
    """An evaluation that takes one sample at a time, so that large data sets need little memory.

    Args:
        engine: engine that holds the model; its variables do not change.
        manifest: manifest of the model.
        class_indices: class name → class index, of all present classes.
    """

    def __init__(
        self, engine: Engine, manifest: Manifest, class_indices: Mapping[str, int]
    ) -> None:
        self._engine = engine
        self._manifest = manifest
        self._batch = Batch(manifest)
        self._class_indices = class_indices
        self._pending: list[tuple[Sequence[np.ndarray], np.ndarray]] = []
        self._outputs: list[np.ndarray] = []
        self._targets: list[np.ndarray] = []
        self._loss = 0.0

    def add(self, features: Sequence[np.ndarray], targets: Mapping[str, float]) -> None:
        """Add one sample.

        Args:
            features: float32 [1, …] for each features tensor.
            targets: class name → target; others are missing.
        """
        row = np.full((1, self._manifest.capacity), np.nan, np.float32)
        row[0, [self._class_indices[name] for name in targets]] = list(targets.values())
        self._pending.append((features, row))
        self._targets.append(row)
        if len(self._pending) == self._batch.size:
            self._evaluate_pending()

    def result(self) -> Evaluation:
        """Return the evaluation of all samples that were added.

        Raises:
            DataError: If no sample was added.
        """
        self._evaluate_pending()
        if not self._targets:
            raise DataError("there are no samples to evaluate on: give at least one")
        columns = list(self._class_indices.values())
        targets = np.concatenate(self._targets)[:, columns]
        outputs = np.concatenate(self._outputs)[:, columns]
        present = ~np.isnan(targets)
        belongs = present if self._manifest.task == "regression" else targets > 0
        evaluation = Evaluation(
            accuracy=float("nan"),
            loss=self._loss / len(targets),
            samples=len(targets),
            labels=tuple(self._class_indices),
            support=dict(zip(self._class_indices, belongs.sum(0).tolist(), strict=True)),
            per_class=dict.fromkeys(self._class_indices),
            confusion=np.zeros((0, 0), np.int64),
        )
        metrics = _METRICS[self._manifest.task]
        return metrics(evaluation, outputs, np.nan_to_num(targets), present)

    def _evaluate_pending(self) -> None:
        """Evaluate the samples that wait for a full batch."""
        if not self._pending:
            return
        tensors = zip(*(features for features, _ in self._pending), strict=True)
        targets = np.concatenate([row for _, row in self._pending])
        count = len(targets)
        per_output = self._manifest.weights_per_output
        dataset = Dataset(
            features=[np.concatenate(rows) for rows in tensors],
            targets=np.nan_to_num(targets),
            weights=np.asarray(~np.isnan(targets) if per_output else np.ones(count), np.float32),
            sample_ids=np.arange(count),
            sample_fraction=np.ones(count),
        )
        loss, outputs = evaluate_batches(self._engine, self._batch, dataset)
        self._loss += loss * count
        self._outputs.append(outputs)
        self._pending.clear()


def _classification_metrics(
    evaluation: Evaluation, outputs: np.ndarray, targets: np.ndarray, present: np.ndarray
) -> Evaluation:
    true, predicted = targets.argmax(1), outputs.argmax(1)
    confusion = np.zeros((len(evaluation.labels),) * 2, np.int64)
    np.add.at(confusion, (true, predicted), 1)
    return replace(
        evaluation,
        accuracy=float((true == predicted).mean()),
        per_class=_means(evaluation.labels, confusion.diagonal(), confusion.sum(1)),
        confusion=confusion,
        calibration_error=expected_calibration_error(outputs, targets),
    )


def _multi_label_metrics(
    evaluation: Evaluation, outputs: np.ndarray, targets: np.ndarray, present: np.ndarray
) -> Evaluation:
    correct = TASKS["multi_label"].correct(outputs, targets, present)
    return replace(
        evaluation,
        accuracy=float(correct.sum() / present.sum()),
        per_class=_means(evaluation.labels, correct.sum(0), present.sum(0)),
    )


def _regression_metrics(
    evaluation: Evaluation, outputs: np.ndarray, targets: np.ndarray, present: np.ndarray
) -> Evaluation:
    errors = np.where(present, np.abs(outputs - targets), 0)
    means = _means(evaluation.labels, errors.sum(0), present.sum(0))
    return replace(evaluation, absolute_error=means)


_METRICS = {
    "classification": _classification_metrics,
    "multi_label": _multi_label_metrics,
    "regression": _regression_metrics,
}
"""`Manifest.task` → function that adds the metrics of the task to an evaluation.

Arguments: the evaluation; outputs and targets, float32 [N, K], one column per class; whether each
target is present, bool [N, K].
"""


def _means(labels: Sequence[str], sums: np.ndarray, counts: np.ndarray) -> dict[str, float | None]:
    """Return class name → sum / count; None if the count is 0."""
    return {
        label: float(total / count) if count else None
        for label, total, count in zip(labels, sums, counts, strict=True)
    }
