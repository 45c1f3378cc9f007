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

HeldOutOutputs = Callable[[np.ndarray, np.ndarray], "np.ndarray | None"]
"""Trains on some rows and returns the outputs on others.

Takes two masks, bool [N]: the training rows and the n held-out rows. Returns the outputs for the
held-out rows, float32 [n, C], at temperature 1; None if the training was stopped.
"""


@dataclass(frozen=True)
class CrossValidation:
    """The result of a cross-validation.

    Attributes:
        temperature: temperature of the model, above 0.
        ood_detector: out-of-distribution detector; None for several labels per sample, or too few
            samples.
        accuracy: accuracy on held-out samples, 0…1; None if no sample could be held out.
        calibration_error: expected calibration error on held-out samples at `temperature`, 0…1;
            None if no sample could be held out, or for several labels per sample.
    """

    temperature: float
    ood_detector: OODDetector | None
    accuracy: float | None
    calibration_error: float | None


def cross_validate(
    manifest: Manifest,
    dataset: Dataset,
    outputs: np.ndarray,
    held_out_outputs: HeldOutOutputs,
    seed: int,
) -> CrossValidation | None:
    """Cross-validate a model.

    Each of three folds is held out in turn; of more than 400 rows, only the first.

    Args:
        manifest: manifest of the model.
        dataset: N rows, all training data.
        outputs: float32 [N, C]; outputs of the model that was trained on all rows, at
            temperature 1.
        held_out_outputs: trains on some rows and returns the outputs on others.
        seed: seed of the fold assignment.

    Returns:
        The result; None for a regression, or if a training was stopped.
    """
    if manifest.task == "regression":
        return None
    class_indices = dataset.targets.argmax(1)
    folds = assign_folds(class_indices, dataset.sample_ids, folds=_FOLDS, seed=seed)
    if len(dataset) > _MAX_ROWS:
        folds[folds > 0] = -1
    validation = np.zeros_like(outputs)
    for fold in np.unique(folds[folds >= 0]):
        held_out = folds == fold
        fold_outputs = held_out_outputs(~held_out, held_out)
        if fold_outputs is None:
            return None
        validation[held_out] = fold_outputs
    rows = folds >= 0
    temperature = default_temperature(outputs)
    if rows.any():
        temperature = _fit_temperature(manifest, dataset, validation, rows, temperature)
    held_out_accuracy = _accuracy(manifest, dataset, validation, rows) if rows.any() else None
    if manifest.weights_per_output:
        return CrossValidation(temperature, None, held_out_accuracy, None)
    calibrated = apply_temperature(validation, temperature) if rows.any() else None
    return CrossValidation(
        temperature,
        OODDetector.fit(dataset.features, class_indices, folds, calibrated),
        held_out_accuracy,
        None if calibrated is None
        else expected_calibration_error(calibrated[rows], dataset.targets[rows]),
    )  # fmt: skip


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
