"""The training of one set of samples: from starting weights, stage by stage."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from ..._random_numbers import RandomNumbers
from ...errors import TrainingError
from ..data.batches import split_evenly
from ..results.records import History
from .config import TrainingConfig
from .control import Control
from .data import TrainingData, Variables
from .path import training_stages
from .rate_search import search_rate
from .schedule import Schedule, default_rate
from .trainer import EpochCallback, Trainer
from .training_model import TrainingModel

__all__ = ["StagedTraining"]

_RETRIES, _FACTOR = 3, 1 / 8  # of a default learning rate that is too high
_BATCHES = 16  # that the default learning rate follows from
_RISE, _CHANCE = 1.2, 0.9  # a loss above both has risen: 1.2 times before, 0.9 times by chance


class StagedTraining:
    """The training of one set of samples.

    Several trainings may take turns in the same model: each keeps its weights between two stages.

    Args:
        model: copy of the model, for training.
        config: options.
        data: samples and starting weights.
        control: pauses and stops the training.

    Attributes:
        stages: stages of the training; see `training_stages`.
        completed: number of stages that were run.
    """

    def __init__(
        self, model: TrainingModel, config: TrainingConfig, data: TrainingData, control: Control
    ) -> None:
        self._model = model
        self._data = data
        self._control = control
        self._config = config
        self._samples = model.training_samples(data)
        rows = self._samples.stratified_rows(model.manifest.batch_size, config.seed)
        self._mixed = self._samples.take(rows)
        self._held_out = None if data.held_out is None else model.dataset(data, data.held_out)
        self._variables: Variables | None = None
        self.stages = self._create_stages()
        self.completed = 0
        self._trainer = self._create_trainer()

    @property
    def history(self) -> History:
        """The history of the stages until now."""
        samples = len(np.unique(self._data.samples.samples))
        return replace(self._trainer.history, samples=samples)

    @property
    def stopped(self) -> bool:
        """Whether the training ended before the last step of a stage."""
        return self._trainer.stopped

    @property
    def config(self) -> TrainingConfig:
        """The options for the trainings of a cross-validation.

        They have the learning rate of this training, unless it is the default one of the features.
        """
        return self._config

    def run(self, on_epoch: EpochCallback | None = None, planned: int = 0) -> None:
        """Train the next stage; the model then holds its weights.

        If the loss rises in the first stage with a default learning rate, the stage is repeated
        with a lower one.

        Args:
            on_epoch: called after each epoch.
            planned: number of epochs of all stages, for `on_epoch`. Default: those until the end
                of this stage.

        Raises:
            TrainingError: If the loss rises, or a loss or weight is no longer finite.
        """
        if self._variables is None:
            self._run_first(on_epoch, planned)
        else:
            self._model.engine.restore(self._variables)
            self._trainer.run(self.stages[self.completed], on_epoch, planned)
        self._variables = self._model.engine.variables()
        self.completed += 1

    def restore(self) -> None:
        """Set the weights of the last complete stage."""
        if self._variables is not None:
            self._model.engine.restore(self._variables)

    def _run_first(self, on_epoch: EpochCallback | None, planned: int) -> None:
        lowest = self.stages[0].peak * (_FACTOR**_RETRIES if self._has_default_rate else 1)
        while True:
            self._start()
            before, _ = self._model.evaluate(self._mixed)
            try:
                self._trainer.run(self.stages[0], on_epoch, planned)
                if not self.stopped:
                    self._check_loss(before)
                return
            except TrainingError:
                peak = self.stages[0].peak * _FACTOR
                if peak < lowest or self._control.used == 1:
                    raise
                self._set_peak(peak)
                self._trainer = self._create_trainer()

    def _start(self) -> None:
        self._model.start(self._data, self._samples, self._mixed)

    def _create_trainer(self) -> Trainer:
        model, config = self._model, self._config
        return Trainer(
            model.engine, model.manifest, self._samples, self._control, config.seed,
            self._held_out, config.patience,
        )  # fmt: skip

    def _create_stages(self) -> tuple[Schedule, ...]:
        """Return the stages."""
        manifest, data, samples = self._model.manifest, self._data, self._samples
        peak = self._config.learning_rate
        peak = manifest.learning_rate if peak is None else peak
        self._has_default_rate = peak is None
        if peak is None:
            peak = self._default_rate()
        return training_stages(
            manifest,
            self._config,
            rows=len(samples),
            samples=samples.effective_sample_size,
            outputs=len(data.class_indices),
            rate=peak,
            has_default_rate=self._has_default_rate,
            warm=data.warm,
        )

    def _default_rate(self) -> float:
        model, data, samples = self._model, self._data, self._samples
        model.normalize(data, self._mixed)
        is_regression = model.manifest.task == "regression"
        rate = default_rate(
            model.manifest,
            self._first_batches(),
            outputs=len(data.class_indices),
            magnitude=samples.target_rms if is_regression else 1.0,
        )
        if model.manifest.head.feature_norm is None:
            self._start()
            rate = search_rate(model, samples, rate, self._control, self._config.seed)
            self._config = replace(self._config, learning_rate=rate)
        return rate

    def _first_batches(self) -> list[tuple[np.ndarray, np.ndarray]]:
        """Return rows after normalization, and their weights, of the first batches to train on."""
        samples = self._samples
        order = RandomNumbers(self._config.seed).permutation(len(samples))
        batches = math.ceil(len(samples) / self._model.manifest.batch_size)
        parts = split_evenly(len(samples), batches)[:_BATCHES]
        order = order[: parts[-1].stop]
        rows = self._model.class_weights.normalize([each[order] for each in samples.features])
        weights = samples.weights[order].reshape(len(order), -1).sum(1, dtype=np.float64)
        return [(rows[part], weights[part]) for part in parts]

    def _set_peak(self, peak: float) -> None:
        self.stages = tuple(replace(stage, peak=peak) for stage in self.stages)
        self._config = replace(self._config, learning_rate=peak)

    def _check_loss(self, before: float) -> None:
        """Raise TrainingError if the loss of some samples is higher than before the training."""
        after, rate = self._model.evaluate(self._mixed)[0], self.stages[0].peak
        chance = {
            "classification": math.log(max(2, len(self._data.class_indices))),
            "multi_label": math.log(2),
            "regression": self._samples.target_rms**2,
        }[self._model.manifest.task]
        if not after <= max(_RISE * before, _CHANCE * chance):
            raise TrainingError(
                f"the loss rose from {before:.3g} to {after:.3g} at learning rate {rate:.3g}; the "
                "weights before the training stay. Train with a lower learning rate"
            )
