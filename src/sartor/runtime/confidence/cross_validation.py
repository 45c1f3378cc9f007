"""How sure a model may be, and what it knows: told by samples that a training left out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ...contract.manifest import Manifest
from ..data.dataset import Dataset
from ..data.tasks import TASKS
from .out_of_distribution import OODDetector
from .temperature import (
    apply_temperature,
    default_temperature,
    expected_calibration_error,
    fit_temperature,
    folds,
)

__all__ = ["CrossValidation", "Trial", "cross_validate", "divided"]

_PARTS = 3
_MANY = 400  # rows; of more, one part is left out, and not each in turn

Trial = Callable[[np.ndarray, np.ndarray], "np.ndarray | None"]
"""Takes rows to learn from and rows to leave out, as bool [N]; returns the outputs [n, C] for the
second, at temperature 1, or None when it was stopped."""


@dataclass(frozen=True)
class CrossValidation:
    """What is to be believed of a model.

    Attributes:
        temperature: divides its logits.
        ood_detector: tells what is none of its classes; None where samples have several labels, or
            there are too few.
        accuracy: 0…1; on samples that were left out; None where none could be.
        calibration_error: 0…1; likewise, with this temperature; None where samples have several
            labels.
    """

    temperature: float
    ood_detector: OODDetector | None
    accuracy: float | None
    calibration_error: float | None


def cross_validate(
    manifest: Manifest, samples: Dataset, outputs: np.ndarray, trial: Trial, seed: int
) -> CrossValidation | None:
    """Judge a model that was trained with some samples.

    Args:
        manifest: of the model.
        samples: N rows.
        outputs: float32 [N, C]; what the model says of them, at temperature 1.
        trial: trains again with some of the rows.
        seed: of how the samples are divided.

    Returns:
        None where the model learns numbers, or a trial was stopped.
    """
    if manifest.task == "regression":
        return None
    parts = divided(samples.targets.argmax(1), samples.sample_ids, seed)
    left_out = np.zeros_like(outputs)
    for part in np.unique(parts[parts >= 0]):
        out = parts == part
        found = trial(~out, out)
        if found is None:
            return None
        left_out[out] = found
    tried = parts >= 0
    several = manifest.weights_per_output
    temperature = default_temperature(outputs)
    if tried.any():
        temperature = fit_temperature(
            left_out[tried],
            samples.targets[tried],
            samples.weights[tried] if several else samples.sample_fraction[tried],
            expected=temperature,
            independent=several,
        )
    targets, weights = samples.targets[tried], samples.weights[tried]
    right = TASKS[manifest.task].right(left_out[tried], targets, weights)
    accuracy = float(right.sum() / np.count_nonzero(weights)) if tried.any() else None
    if several:
        return CrossValidation(temperature, None, accuracy, None)
    sure = apply_temperature(left_out, temperature)
    slots = samples.targets.argmax(1)
    return CrossValidation(
        temperature,
        OODDetector.fit(samples.features, slots, parts, sure if tried.any() else None),
        accuracy,
        expected_calibration_error(sure[tried], targets) if tried.any() else None,
    )


def divided(slots: np.ndarray, samples: np.ndarray, seed: int) -> np.ndarray:
    """Divide rows into parts to be left out in turn, or of many one.

    Args:
        slots: int [N]; the class of each row.
        samples: int [N]; the sample that each row is a view of.
        seed: of what is drawn.

    Returns:
        int [N]: in which part each row is left out; −1: in none, as its class would be gone.
    """
    parts = folds(slots, samples, _PARTS, np.random.default_rng(seed))
    if len(samples) > _MANY:
        parts[parts > 0] = -1
    for slot in np.unique(slots):
        rows = slots == slot
        if len(np.unique(samples[rows])) < 2:
            parts[rows] = -1
    return parts
