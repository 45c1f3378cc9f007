"""Cross-validation: trainings without each fold, like the one on all samples."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from ...contract.manifest import Manifest
from ...contract.names import TEMPERATURE
from ...errors import TrainingError
from ..confidence.cross_validation import (
    CrossValidation,
    HeldOutOutputs,
    assign_validation_folds,
    cross_validate,
)
from ..confidence.out_of_distribution import OODDetector
from ..data.dataset import Dataset
from ..results.records import History
from .config import TrainingConfig
from .control import Control
from .data import TrainingData, Variables
from .staged import StagedTraining
from .training_model import TrainingModel

__all__ = ["Selection", "Validation", "join_names", "select_stage", "validate"]

_MAX_NAMES = 5  # in a message
_MIN_GAIN, _MIN_FRACTION = 0.01, 0.02  # nats, and of the loss: a smaller gain is not worth a stage


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


@dataclass(frozen=True)
class Selection:
    """The stage to end a training at, and the outputs that selected it.

    Attributes:
        stages: number of stages to run, at least 1.
        assigned: fold of each row, int64 [N]; see `assign_validation_folds`.
        held_out: outputs of the last of these stages for held-out rows.
    """

    stages: int
    assigned: np.ndarray
    held_out: HeldOutOutputs

    def take(self, rows: np.ndarray) -> Selection:
        """Return the selection with the outputs of some of the rows (bool [N])."""
        held_out = HeldOutOutputs(self.held_out.folds[rows], self.held_out.outputs[rows])
        return Selection(self.stages, self.assigned[rows], held_out)


def select_stage(
    model: TrainingModel,
    config: TrainingConfig,
    data: TrainingData,
    control: Control,
    history: History,
) -> Selection | None:
    """Train without each fold, stage by stage, until the loss on held-out rows stops falling.

    If an option limits the training, each fold has as many epochs as `history`. All folds together
    have the time limit of the first stage again.

    Args:
        model: copy of the model, for training.
        config: options of the training.
        data: its samples.
        control: pauses and stops the cross-validation.
        history: history of the first stage on all samples.

    Returns:
        The selection; None for a regression.
    """
    manifest, limited = model.manifest, control.limited()
    if manifest.task == "regression":
        return None
    if config.is_limited and history.epochs:
        config = replace(config, epochs=len(history.epochs))
    samples = model.dataset(data, data.samples)
    assigned = assign_validation_folds(samples, data.groups, config.seed)
    folds = [
        _Fold(
            assigned == fold,
            model.dataset(data, data.samples.take(assigned == fold)),
            StagedTraining(model, config, data.part(assigned != fold), limited),
        )
        for fold in (np.unique(assigned[assigned >= 0]) if history.epochs else ())
    ]
    best, lowest = Selection(1, assigned, _none_held_out(samples)), math.inf
    for stages in range(1, 1 + max((len(fold.training.stages) for fold in folds), default=0)):
        held_out = _run_folds(model, samples, assigned, folds)
        is_complete = (held_out.rows == (assigned >= 0)).all()
        if stages == 1:
            best = Selection(stages, assigned, held_out)
        if not is_complete:
            break
        if held_out.accuracy(manifest, samples) == 1:
            return Selection(stages, assigned, held_out)
        loss = held_out.loss(manifest, samples)
        if lowest - loss < _MIN_GAIN + _MIN_FRACTION * loss:
            break
        best, lowest = Selection(stages, assigned, held_out), loss
    return best


def validate(
    model: TrainingModel,
    data: TrainingData,
    selection: Selection,
    config: TrainingConfig,
    held_out_features: Sequence[np.ndarray] | None = None,
) -> Validation:
    """Fit temperature and OOD detector, and measure the accuracy on the held-out rows.

    Args:
        model: holds the weights that were trained on all samples, at temperature 1.
        data: its samples.
        selection: outputs for held-out rows.
        config: options of the training.
        held_out_features: see `cross_validate`.
    """
    samples = model.dataset(data, data.samples)
    outputs = model.evaluate(samples)[1]
    result = cross_validate(
        model.manifest, samples, selection.assigned, selection.held_out, outputs,
        held_out_features,
    )  # fmt: skip
    return Validation(
        result.ood_detector,
        {TEMPERATURE: np.full(1, result.temperature, np.float32)},
        result.accuracy,
        result.calibration_error,
        _warnings(result, model.manifest, data, config.seconds),
    )


@dataclass(frozen=True)
class _Fold:
    """The held-out rows of a fold, bool [N] and as a data set, and the training without them."""

    rows: np.ndarray
    held_out: Dataset
    training: StagedTraining


def _run_folds(
    model: TrainingModel, samples: Dataset, assigned: np.ndarray, folds: Sequence[_Fold]
) -> HeldOutOutputs:
    """Train the next stage without each fold, until a training is not completed."""
    held_out = _none_held_out(samples)
    for fold in folds:
        try:
            fold.training.run()
        except TrainingError:
            break
        if fold.training.stopped:
            break
        rows = fold.rows
        held_out.folds[rows] = assigned[rows]
        held_out.outputs[rows] = model.evaluate(fold.held_out)[1]
    return held_out


def _none_held_out(samples: Dataset) -> HeldOutOutputs:
    return HeldOutOutputs(np.full(len(samples), -1), np.zeros_like(samples.targets))


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
