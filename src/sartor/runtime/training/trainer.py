"""The training loop: epochs of steps on one engine."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

import numpy as np

from ..._random_numbers import RandomNumbers
from ...contract.manifest import Manifest
from ...contract.names import LEARNING_RATE, LOSS, OUTPUT, WEIGHT_DECAY
from ...errors import TrainingError
from ...litert import Engine
from ..data.batches import Batch, evaluate_batches, split_evenly
from ..data.dataset import Dataset
from ..data.tasks import TASKS, accuracy
from ..results.records import Epoch, History
from .control import Control
from .schedule import Schedule

__all__ = ["EpochCallback", "Trainer"]

EpochCallback = Callable[[Epoch], object]
"""Called after each epoch; returning False stops the training."""


class Trainer:
    """Trains the model of an engine on one dataset, in one stage or several.

    Args:
        engine: engine that holds the model; no other thread may call it.
        manifest: manifest of the model file.
        samples: training samples, at least one.
        control: pauses and stops the training between steps.
        seed: seed of the order of the samples. The same seed gives the same weights.
        held_out: samples for early stopping: the weights with the lowest loss on them are kept.
            Default: None.
        patience: number of epochs without a lower loss on `held_out` that ends the training.
            Default: no early stopping.

    Attributes:
        stopped: whether the training ended before its last step.
    """

    def __init__(
        self,
        engine: Engine,
        manifest: Manifest,
        samples: Dataset,
        control: Control,
        seed: int,
        held_out: Dataset | None = None,
        patience: int | None = None,
    ) -> None:
        self._engine = engine
        self._task = TASKS[manifest.task]
        self._has_accuracy = manifest.task != "regression"
        self._batch = Batch(manifest)
        self._rate = np.zeros(1, np.float32)
        targets = self._task.training_targets(samples.targets)
        self._samples = replace(samples, targets=targets)
        self._control = control
        self._numbers = RandomNumbers(seed)
        self._early_stopping = None if held_out is None else _EarlyStopping(held_out, patience)
        self._epochs: list[Epoch] = []
        self._steps = 0
        self.stopped = False

    @property
    def history(self) -> History:
        """The history of all stages until now."""
        return History(
            tuple(self._epochs), self._steps, self._samples.sample_count, stopped=self.stopped
        )

    def run(
        self, schedule: Schedule, on_epoch: EpochCallback | None = None, planned: int = 0
    ) -> None:
        """Train one stage from the present weights of the engine.

        An error of `on_epoch` ends the training and is raised; the present weights stay.

        Args:
            schedule: number of epochs, learning rates and weight decay.
            on_epoch: called after each epoch. Without it, the history has no epochs: of a few
                samples, they would take longer than the steps.
            planned: number of epochs of all stages, for `on_epoch`. Default: those until the end
                of this stage.

        Raises:
            TrainingError: If the loss or a weight is no longer finite.
        """
        planned = max(planned, len(self._epochs) + schedule.epochs)
        self._set_weight_decay(schedule)
        try:
            is_complete = self._run_epochs(schedule, on_epoch, planned)
            self._check_weights()
        except _NotFiniteError as error:
            raise TrainingError(
                f"{error} is no longer finite after {self._steps} steps; the weights before the "
                "training stay. Train with a lower learning rate"
            ) from None
        self.stopped = not (is_complete or self._is_converged() or self._control.used == 1)
        if self._early_stopping is not None and self._early_stopping.best is not None:
            self._engine.restore(self._early_stopping.best)

    def _run_epochs(self, schedule: Schedule, on_epoch: EpochCallback | None, planned: int) -> bool:
        """Train epoch by epoch; return whether all were completed."""
        start, planned_steps = self._steps, schedule.steps
        parts = split_evenly(len(self._samples), schedule.batches)
        for epoch in range(schedule.epochs):
            order = self._numbers.permutation(len(self._samples))
            steps = []
            for part in parts:
                if not self._control.wait():
                    return False
                progress = max((self._steps - start) / planned_steps, self._control.used)
                rate = schedule.rate(progress)
                steps.append(self._step(order[part], rate))
            self._note_held_out_loss()
            stop = False
            if on_epoch is not None:
                self._epochs.append(self._summary(order, parts, steps, rate, planned))
                stop = on_epoch(self._epochs[-1]) is False
            if stop or self._control.stopped or self._is_converged():
                return epoch + 1 == schedule.epochs
        return True

    def _set_weight_decay(self, schedule: Schedule) -> None:
        if schedule.weight_decay is not None:
            value = np.full(1, schedule.weight_decay, np.float32)
            self._engine.restore({**self._engine.variables(), WEIGHT_DECAY: value})

    def _step(self, rows: np.ndarray, rate: float) -> tuple[float, np.ndarray]:
        """Train one step on some rows; return their loss and outputs before the update."""
        inputs = self._batch.labelled_inputs(self._samples, rows)
        self._rate[0] = rate
        outputs = self._engine.run("train", {**inputs, LEARNING_RATE: self._rate})
        self._steps += 1
        loss = float(outputs[LOSS][0])
        if not math.isfinite(loss):
            raise _NotFiniteError("the loss")
        return loss, outputs[OUTPUT][: len(rows)]

    def _summary(
        self,
        order: np.ndarray,
        parts: list[slice],
        steps: list[tuple[float, np.ndarray]],
        rate: float,
        planned: int,
    ) -> Epoch:
        """Return the mean loss and the accuracy of the steps of an epoch."""
        losses, outputs = zip(*steps, strict=True)
        weights = self._samples.weights[order]
        rows = weights.sum(1) if weights.ndim > 1 else weights
        sums = np.add.reduceat(rows, [part.start for part in parts], dtype=np.float64)
        loss, right = float(sums @ losses) / float(sums.sum()), float("nan")
        if self._has_accuracy:
            targets = self._samples.targets[order]
            right = accuracy(self._task, np.concatenate(outputs), targets, weights)
        held_out = None if self._early_stopping is None else self._early_stopping.loss
        return Epoch(len(self._epochs) + 1, planned, loss, right, rate, held_out)

    def _note_held_out_loss(self) -> None:
        if self._early_stopping is not None:
            loss, _ = evaluate_batches(self._engine, self._batch, self._early_stopping.samples)
            self._early_stopping.note(loss, self._engine)

    def _is_converged(self) -> bool:
        return self._early_stopping is not None and self._early_stopping.is_over

    def _check_weights(self) -> None:
        for name, value in self._engine.variables().items():
            if not np.isfinite(value).all():
                raise _NotFiniteError(name)


class _EarlyStopping:
    """The weights with the lowest loss on held-out samples."""

    def __init__(self, samples: Dataset, patience: int | None) -> None:
        self.samples = samples
        self.best: dict[str, np.ndarray] | None = None
        self.loss: float | None = None
        self._lowest = float("inf")
        self._patience = patience
        self._waited = 0

    @property
    def is_over(self) -> bool:
        """Whether the loss has not fallen for `patience` epochs."""
        return self._patience is not None and self._waited >= self._patience

    def note(self, loss: float, engine: Engine) -> None:
        """Note the loss of an epoch, and keep the weights if it is the lowest."""
        self.loss = loss
        if loss < self._lowest:
            self.best, self._lowest, self._waited = engine.variables(), loss, 0
        else:
            self._waited += 1


class _NotFiniteError(Exception):
    """A loss or weight that is no longer finite."""
