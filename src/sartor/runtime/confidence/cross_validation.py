"""Cross-validation: the temperature, the OOD detector and the accuracy on held-out samples."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ...contract.manifest import Manifest
from ..data.dataset import Dataset
from ..data.tasks import TASKS, accuracy
from .expected_accuracy import expected_accuracy
from .folds import assign_folds
from .out_of_distribution import OODDetector
from .temperature import (
    apply_temperature,
    default_temperature,
    expected_calibration_error,
    fit_temperature,
    log_loss,
)

__all__ = ["CrossValidation", "HeldOutOutputs", "assign_validation_folds", "cross_validate"]

_FOLDS = 3
_MAX_ROWS = 400  # above, one fold is enough, and a third of the time
_MAX_NUMBERS = 1 << 20  # of all features; above, each fold takes seconds


@dataclass(frozen=True)
class HeldOutOutputs:
    """Outputs for held-out samples.

    Attributes:
        folds: int64 [N]; fold of each row, −1 if it was not held out.
        outputs: float32 [N, C]; the output for each held-out row, at temperature 1, from a model
            that was trained without its fold. 0 for the other rows.
    """

    folds: np.ndarray
    outputs: np.ndarray

    @property
    def rows(self) -> np.ndarray:
        """Whether each row was held out, bool [N]."""
        return np.asarray(self.folds >= 0)

    def accuracy(self, manifest: Manifest, dataset: Dataset) -> float:
        """Return the accuracy on the held-out rows, over outputs of a weight above 0."""
        rows, task = self.rows, TASKS[manifest.task]
        return accuracy(task, self.outputs[rows], dataset.targets[rows], dataset.weights[rows])

    def loss(self, manifest: Manifest, dataset: Dataset) -> float:
        """Return the mean log loss of the held-out rows at the best temperature."""
        rows, weights = self.rows, _loss_weights(manifest, dataset)
        return log_loss(
            self.outputs[rows],
            dataset.targets[rows],
            weights[rows],
            temperature=_fit_temperature(manifest, dataset, self.outputs, rows, 1.0),
            independent=manifest.weights_per_output,
        )


@dataclass(frozen=True)
class CrossValidation:
    """The result of a cross-validation.

    Attributes:
        temperature: temperature of the model, above 0.
        ood_detector: out-of-distribution detector; None for several labels per sample, or too few
            samples.
        accuracy: expected accuracy, from that on held-out samples, 0…1; None if no sample was held
            out, or if there is one class only.
        calibration_error: expected calibration error on held-out samples at `temperature`, 0…1;
            None where `accuracy` is, or for several labels per sample.
        can_hold_out: whether a class has two samples that are not near-duplicates.
        held_out_classes: indices of the classes with held-out samples.
    """

    temperature: float
    ood_detector: OODDetector | None
    accuracy: float | None
    calibration_error: float | None
    can_hold_out: bool
    held_out_classes: frozenset[int]


def assign_validation_folds(dataset: Dataset, groups: np.ndarray, seed: int) -> np.ndarray:
    """Assign the rows of a data set to three folds; see `assign_folds`.

    Of more than 400 rows, or more than 2²⁰ numbers (as 32 rows of 40,000 features), only the first
    fold is held out.

    Args:
        dataset: N rows.
        groups: int [N]; rows of one group are held out together. See `group_near_duplicates`.
        seed: seed of the assignment.

    Returns:
        int64 [N]: fold of each row, −1 for a row that is never held out.
    """
    folds = assign_folds(dataset.targets.argmax(1), groups, folds=_FOLDS, seed=seed)
    numbers = sum(array.size for array in dataset.features)
    if len(dataset) > _MAX_ROWS or numbers > _MAX_NUMBERS:
        folds[folds > 0] = -1
    return folds


def cross_validate(
    manifest: Manifest,
    dataset: Dataset,
    assigned: np.ndarray,
    held_out: HeldOutOutputs,
    outputs: np.ndarray,
    held_out_features: Sequence[np.ndarray] | None = None,
) -> CrossValidation:
    """Fit the temperature and the OOD detector to held-out outputs, and measure the accuracy.

    If no row was held out, the result has the default temperature and no accuracy.

    Args:
        manifest: manifest of the model, not that of a regression.
        dataset: N rows, all training data.
        assigned: int [N]; folds as `assign_validation_folds` returns them.
        held_out: outputs for the rows of the folds whose training was completed.
        outputs: float32 [N, C]; outputs of the model that was trained on all rows, at
            temperature 1.
        held_out_features: float32 [N, F] for each features tensor, from tuned layers that were
            trained without the held-out rows. Default: the features of the data set.
    """
    class_indices = dataset.targets.argmax(1)
    folds, validation, rows = held_out.folds, held_out.outputs, held_out.rows
    temperature = default_temperature(outputs)
    held_out_accuracy = calibrated = calibration_error = None
    if rows.any():
        temperature = _fit_temperature(manifest, dataset, validation, rows, temperature)
        calibrated = apply_temperature(validation, temperature)
        if manifest.weights_per_output or len(np.unique(class_indices)) > 1:
            fraction = 1 - float(rows.sum()) / len(rows) / len(np.unique(folds[rows]))
            held_out_accuracy = expected_accuracy(held_out.accuracy(manifest, dataset), fraction)
    detector = None
    if not manifest.weights_per_output:
        used = folds if rows.any() else assigned
        features = held_out_features or dataset.features
        detector = OODDetector.fit(features, class_indices, used, calibrated)
        if detector is not None and held_out_features is not None:
            detector = detector.with_features(dataset.features, class_indices)
        if calibrated is not None and held_out_accuracy is not None:
            targets = dataset.targets[rows]
            calibration_error = expected_calibration_error(calibrated[rows], targets)
    return CrossValidation(
        temperature,
        detector,
        held_out_accuracy,
        calibration_error,
        can_hold_out=bool((assigned >= 0).any()),
        held_out_classes=frozenset(np.flatnonzero((dataset.targets[rows] > 0).any(0)).tolist()),
    )


def _fit_temperature(
    manifest: Manifest, dataset: Dataset, outputs: np.ndarray, rows: np.ndarray, prior: float
) -> float:
    """Fit the temperature to held-out rows (bool [N])."""
    return fit_temperature(
        outputs[rows],
        dataset.targets[rows],
        _loss_weights(manifest, dataset)[rows],
        prior=prior,
        independent=manifest.weights_per_output,
    )


def _loss_weights(manifest: Manifest, dataset: Dataset) -> np.ndarray:
    """Return the weight of each row [N], or of each target [N, C]: each sample counts once."""
    return dataset.weights if manifest.weights_per_output else dataset.sample_fraction
