"""The epochs of one training: from starting weights to weights that fit the samples."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from ...errors import TrainingError
from ..data.dataset import Dataset
from ..results.records import History
from .config import TrainingConfig
from .control import Control
from .data import TrainingData
from .rate_search import search_rate
from .schedule import Schedule, default_schedule
from .trainer import EpochCallback, Trainer
from .training_model import TrainingModel

__all__ = ["run_epochs"]

_RETRIES, _FACTOR = 3, 1 / 8  # of a default learning rate that is too high
_RISE, _CHANCE = 1.2, 0.9  # a loss above both has risen: 1.2 times before, 0.9 times by chance


def run_epochs(
    model: TrainingModel,
    config: TrainingConfig,
    data: TrainingData,
    control: Control,
    on_epoch: EpochCallback | None = None,
) -> tuple[History, TrainingConfig]:
    """Train from the starting weights of `data`; the model then holds the trained weights.

    If the loss rises with a default learning rate, the training is repeated with a lower one.

    Returns:
        The history, and the options for the trainings of a cross-validation: with the learning
        rate of this training, unless it is the default one of the schedule.

    Raises:
        TrainingError: If the loss rises, or a loss or weight is no longer finite.
    """
    samples = model.training_samples(data)
    mixed = samples.take(samples.stratified_rows(model.manifest.batch_size, config.seed))
    held_out = None if data.held_out is None else model.dataset(data, data.held_out)
    model.start(data, samples, mixed)
    schedule = _schedule(model, config, data, samples, mixed)
    is_default = config.learning_rate is None and model.manifest.learning_rate is None
    if is_default and model.manifest.head.feature_norm is None:
        peak = search_rate(model, samples, schedule.peak, control, config.seed)
        schedule, config = replace(schedule, peak=peak), replace(config, learning_rate=peak)
    lowest = schedule.peak * (_FACTOR**_RETRIES if is_default else 1)
    while True:
        model.start(data, samples, mixed)
        before, _ = model.evaluate(mixed)
        trainer = Trainer(
            model.engine, model.manifest, samples, schedule, control, held_out, config.patience
        )
        try:
            history = trainer.run(config.seed, on_epoch)
            history = replace(history, samples=len(np.unique(data.samples.samples)))
            if not history.stopped:
                limit = max(_RISE * before, _CHANCE * _chance_loss(model, data, samples))
                _check_loss(before, model.evaluate(mixed)[0], limit, schedule.peak)
        except TrainingError:
            peak = schedule.peak * _FACTOR
            if peak < lowest or control.used == 1:
                raise
            schedule, config = replace(schedule, peak=peak), replace(config, learning_rate=peak)
        else:
            return history, config


def _schedule(
    model: TrainingModel,
    config: TrainingConfig,
    data: TrainingData,
    samples: Dataset,
    mixed: Dataset,
) -> Schedule:
    """Return the schedule; the model holds the starting weights."""
    features = mixed.features
    return default_schedule(
        model.manifest,
        samples.features,
        samples=samples.effective_sample_size,
        outputs=len(data.class_indices),
        magnitude=samples.target_rms,
        length=model.class_weights.normalized_length(features) if data.warm else None,
        epochs=config.epochs,
        learning_rate=config.learning_rate,
        decay=config.decay,
    )


def _chance_loss(model: TrainingModel, data: TrainingData, samples: Dataset) -> float:
    """Return about the loss of a model that has learned nothing."""
    return {
        "classification": math.log(max(2, len(data.class_indices))),
        "multi_label": math.log(2),
        "regression": samples.target_rms**2,
    }[model.manifest.task]


def _check_loss(before: float, after: float, limit: float, rate: float) -> None:
    """Raise TrainingError if the loss of some samples after the training is above a limit."""
    if not after <= limit:
        raise TrainingError(
            f"the loss rose from {before:.3g} to {after:.3g} at learning rate {rate:.3g}; the "
            "weights before the training stay. Train with a lower learning rate"
        )
