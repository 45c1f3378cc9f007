"""Cross-validation after a training: trainings without each fold, like the one with all samples."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from ...contract.manifest import Manifest
from ...contract.names import TEMPERATURE
from ...errors import TrainingError
from ..confidence.cross_validation import CrossValidation, cross_validate
from ..confidence.out_of_distribution import OODDetector
from ..results.records import History
from .config import TrainingConfig
from .control import Control
from .data import TrainingData, Variables
from .epochs import run_epochs
from .training_model import TrainingModel

__all__ = ["Validation", "join_names", "validate"]

_MAX_NAMES = 5  # in a message


@dataclass(frozen=True)
class Validation:
    """What to publish and to report after a cross-validation.

    Attributes:
        detector: out-of-distribution detector, or None.
        variables: variables to replace.
        accuracy: expected accuracy, 0…1, or None.
        calibration_error: expected calibration error, 0…1, or None.
        warnings: messages about what could not be measured.
    """

    detector: OODDetector | None
    variables: Variables = field(default_factory=dict)
    accuracy: float | None = None
    calibration_error: float | None = None
    warnings: tuple[str, ...] = ()


def validate(
    model: TrainingModel,
    config: TrainingConfig,
    data: TrainingData,
    control: Control,
    history: History,
) -> Validation:
    """Train on parts of the samples, and measure on the others.

    Each training has as many epochs as that of `history`. All of them together have the time limit
    of that training again.

    Args:
        model: holds the weights that were trained on all samples, at temperature 1.
        config: options of the training.
        data: its samples.
        control: pauses and stops the cross-validation.
        history: history of the training.
    """
    limited = control.limited(config.seconds)
    if history.epochs and len(history.epochs) < history.epochs[-1].epochs:
        config = replace(config, epochs=len(history.epochs))

    def outputs_of(training: np.ndarray, held_out: np.ndarray) -> np.ndarray | None:
        if not history.epochs:  # the time limit ended the first one
            return None
        try:
            fold, _ = run_epochs(model, config, data.part(training), limited)
        except TrainingError:
            return None
        if fold.stopped:
            return None
        return model.evaluate(model.dataset(data, data.samples.take(held_out)))[1]

    samples = model.dataset(data, data.samples)
    outputs = model.evaluate(samples)[1]
    result = cross_validate(model.manifest, samples, data.groups, outputs, outputs_of, config.seed)
    if result is None:
        return Validation(data.detector)
    return Validation(
        result.ood_detector,
        {TEMPERATURE: np.full(1, result.temperature, np.float32)},
        result.accuracy,
        result.calibration_error,
        _warnings(result, model.manifest, data, config.seconds),
    )


def join_names(names: Sequence[str]) -> str:
    """Return class names for a message; of many, the first five and the number of the others."""
    shown = ", ".join(map(repr, names[:_MAX_NAMES]))
    more = len(names) - _MAX_NAMES
    return f"{shown} and {more} more" if more > 0 else shown


def _warnings(
    result: CrossValidation, manifest: Manifest, data: TrainingData, seconds: float | None
) -> tuple[str, ...]:
    """Return messages about what the expected accuracy does not say."""
    unknown = "the expected accuracy is unknown: "
    if result.accuracy is None and len(data.class_indices) < 2:
        return (f"{unknown}there is one class only. Add samples of another class",)
    if not result.can_hold_out:
        return (f"{unknown}no class has two different samples. Add samples that differ",)
    if not result.held_out_classes and seconds is not None:
        return (f"{unknown}there was no time to measure it. Train for more than {seconds:g} s",)
    if not result.held_out_classes:
        return (f"{unknown}the cross-validation was not completed. Train again",)
    if data.is_uniform(manifest):
        return (
            "the photos of each class are as alike as those of one burst: the expected accuracy is "
            "that on more of them only. Add photos of other places and views",
        )
    missing = [
        name for name, index in data.class_indices.items() if index not in result.held_out_classes
    ]
    if not missing:
        return ()
    return (
        f"the expected accuracy is not that of {join_names(missing)}: their samples are "
        "near-duplicates, or single. Add samples that differ",
    )
