"""Cross-validation: the temperature, the OOD detector and the accuracy on held-out samples."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ...contract.manifest import Manifest
from ..data.dataset import Dataset
from ..data.tasks import TASKS, accuracy
from .folds import assign_folds
from .out_of_distribution import OODDetector
from .temperature import (
    apply_temperature,
    default_temperature,
    expected_calibration_error,
    fit_temperature,
)

__all__ = ["CrossValidation", "HeldOutOutputs", "cross_validate"]

_FOLDS = 3
_MAX_ROWS = 400  # above, one fold is enough, and a third of the time
_MAX_NUMBERS = 1 << 20  # of all features; above, each fold takes seconds

HeldOutOutputs = Callable[[np.ndarray, np.ndarray], "np.ndarray | None"]
"""Trains on some rows and returns the outputs on others.

Takes two masks, bool [N]: the training rows and the n held-out rows. Returns the outputs for the
held-out rows, float32 [n, C], at temperature 1; None if the training was not completed.
"""


@dataclass(frozen=True)
class CrossValidation:
    """The result of a cross-validation.

    Attributes:
        temperature: temperature of the model, above 0.
        ood_detector: out-of-distribution detector; None for several labels per sample, or too few
            samples.
        accuracy: accuracy on held-out samples, 0…1; None if no sample was held out, or if there is
            one class only.
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


def cross_validate(
    manifest: Manifest,
    dataset: Dataset,
    groups: np.ndarray,
    outputs: np.ndarray,
    held_out_outputs: HeldOutOutputs,
    seed: int,
) -> CrossValidation | None:
    """Cross-validate a model.

    Each of three folds is held out in turn; of more than 400 rows, or more than 2²⁰ numbers (as 32
    rows of 40,000 features), only the first. The result is
    that of the folds whose training was completed. If there is none, it has the default
    temperature and no accuracy.

    Args:
        manifest: manifest of the model.
        dataset: N rows, all training data.
        groups: int [N]; rows of one group are held out together. See `group_near_duplicates`.
        outputs: float32 [N, C]; outputs of the model that was trained on all rows, at
            temperature 1.
        held_out_outputs: trains on some rows and returns the outputs on others.
        seed: seed of the fold assignment.

    Returns:
        The result; None for a regression.
    """
    if manifest.task == "regression":
        return None
    class_indices = dataset.targets.argmax(1)
    assigned = assign_folds(class_indices, groups, folds=_FOLDS, seed=seed)
    numbers = sum(array.size for array in dataset.features)
    if len(dataset) > _MAX_ROWS or numbers > _MAX_NUMBERS:
        assigned[assigned > 0] = -1
    folds, validation = _validate(assigned, outputs, held_out_outputs)
    rows = folds >= 0
    temperature = default_temperature(outputs)
    held_out_accuracy = calibrated = calibration_error = None
    if rows.any():
        temperature = _fit_temperature(manifest, dataset, validation, rows, temperature)
        calibrated = apply_temperature(validation, temperature)
        if manifest.weights_per_output or len(np.unique(class_indices)) > 1:
            held_out_accuracy = _accuracy(manifest, dataset, validation, rows)
    detector = None
    if not manifest.weights_per_output:
        used = folds if rows.any() else assigned
        detector = OODDetector.fit(dataset.features, class_indices, used, calibrated)
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


def _validate(
    assigned: np.ndarray, outputs: np.ndarray, held_out_outputs: HeldOutOutputs
) -> tuple[np.ndarray, np.ndarray]:
    """Hold out each fold, until a training is not completed.

    Returns:
        The folds [N] of `assigned`, −1 for rows that were not held out, and the outputs [N, C].
    """
    folds, validation = np.full_like(assigned, -1), np.zeros_like(outputs)
    for fold in np.unique(assigned[assigned >= 0]):
        held_out = assigned == fold
        fold_outputs = held_out_outputs(~held_out, held_out)
        if fold_outputs is None:
            break
        folds[held_out], validation[held_out] = fold, fold_outputs
    return folds, validation


def _fit_temperature(
    manifest: Manifest, dataset: Dataset, outputs: np.ndarray, rows: np.ndarray, prior: float
) -> float:
    """Fit the temperature to held-out rows (bool [N]); each sample counts once."""
    independent = manifest.weights_per_output
    weights = dataset.weights if independent else dataset.sample_fraction
    return fit_temperature(
        outputs[rows], dataset.targets[rows], weights[rows], prior=prior, independent=independent
    )


def _accuracy(manifest: Manifest, dataset: Dataset, outputs: np.ndarray, rows: np.ndarray) -> float:
    """Return the accuracy on held-out rows (bool [N]), over outputs of a weight above 0."""
    task = TASKS[manifest.task]
    return accuracy(task, outputs[rows], dataset.targets[rows], dataset.weights[rows])
