"""The training loop: epochs of steps on one engine."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from ..._random_numbers import RandomNumbers
from ...contract.manifest import Manifest
from ...contract.names import LEARNING_RATE, LOSS, OUTPUT
from ...errors import TrainingError
from ...litert import Engine
from ..data.batches import Batch, evaluate_batches
from ..data.dataset import Dataset
from ..data.tasks import TASKS, accuracy
from ..results.records import Epoch, History
from .control import Control
from .schedule import Schedule

__all__ = ["EpochCallback", "Trainer"]

EpochCallback = Callable[[Epoch], object]
"""Called after each epoch; returning False stops the training."""


class Trainer:
    """Trains the model of an engine on one dataset.

    Args:
        engine: engine that holds the model; no other thread may call it.
        manifest: manifest of the model file.
        samples: training samples, at least one.
        schedule: number of epochs and learning rates.
        control: pauses and stops the training between steps.
        held_out: samples for early stopping: the weights with the lowest loss on them are kept.
            Default: None.
        patience: number of epochs without a lower loss on `held_out` that ends the training.
            Default: no early stopping.
    """

    def __init__(
        self,
        engine: Engine,
        manifest: Manifest,
        samples: Dataset,
        schedule: Schedule,
        control: Control,
        held_out: Dataset | None = None,
        patience: int | None = None,
    ) -> None:
        self._engine = engine
        self._task = TASKS[manifest.task]
        self._has_accuracy = manifest.task != "regression"
        self._batch = Batch(manifest)
        self._samples = samples
        self._schedule = schedule
        self._parts = _parts(len(samples), schedule.batches)
        self._control = control
        self._early_stopping = None if held_out is None else _EarlyStopping(held_out, patience)
        self._steps = 0

    def run(self, seed: int, on_epoch: EpochCallback | None = None) -> History:
        """Train from the present weights; the same seed gives the same weights.

        An error of `on_epoch` ends the training and is raised; the present weights stay.

        Raises:
            TrainingError: If the loss or a weight is no longer finite.
        """
        epochs: list[Epoch] = []
        numbers = RandomNumbers(seed)
        try:
            while len(epochs) < self._schedule.epochs:
                epoch = self._epoch(len(epochs) + 1, numbers)
                if epoch is None:
                    break
                epochs.append(epoch)
                stop = on_epoch is not None and on_epoch(epoch) is False
                if stop or self._control.stopped or self._is_converged():
                    break
            self._check_weights()
        except _NotFiniteError as error:
            raise TrainingError(
                f"{error} is no longer finite after {self._steps} steps; the weights before the "
                "training stay. Train with a lower learning rate"
            ) from None
        is_complete = (
            len(epochs) == self._schedule.epochs or self._is_converged() or self._control.used == 1
        )
        if self._early_stopping is not None and self._early_stopping.best is not None:
            self._engine.restore(self._early_stopping.best)
        return History(
            tuple(epochs), self._steps, self._samples.sample_count, stopped=not is_complete
        )

    def _epoch(self, number: int, numbers: RandomNumbers) -> Epoch | None:
        """Train one epoch in random order; return None if it was stopped."""
        order = numbers.permutation(len(self._samples))
        losses, outputs, rate = [], [], 0.0
        for part in self._parts:
            if not self._control.wait():
                return None
            rate = self._schedule.rate(self._progress())
            loss, output = self._step(order[part], rate)
            losses.append(loss)
            outputs.append(output)
        loss, accuracy = self._summarize(order, losses, outputs)
        return Epoch(number, self._schedule.epochs, loss, accuracy, rate, self._held_out_loss())

    def _progress(self) -> float:
        """Return the finished fraction of the training, by steps or by time."""
        return max(self._steps / self._schedule.steps, self._control.used)

    def _step(self, rows: np.ndarray, rate: float) -> tuple[float, np.ndarray]:
        """Train one step on some rows; return their loss and outputs before the update."""
        inputs = self._batch.labelled_inputs(self._samples, rows)
        inputs[LEARNING_RATE] = np.full(1, rate, np.float32)
        outputs = self._engine.run("train", inputs)
        self._steps += 1
        loss = float(outputs[LOSS][0])
        if not math.isfinite(loss):
            raise _NotFiniteError("the loss")
        return loss, outputs[OUTPUT][: len(rows)]

    def _summarize(
        self, order: np.ndarray, losses: list[float], outputs: list[np.ndarray]
    ) -> tuple[float, float]:
        """Return the mean loss and the accuracy of an epoch, computed once to keep steps short."""
        weights = self._samples.weights[order]
        rows = weights.sum(1) if weights.ndim > 1 else weights
        parts = np.add.reduceat(rows, [part.start for part in self._parts], dtype=np.float64)
        loss = float(parts @ losses) / float(parts.sum())
        if not self._has_accuracy:
            return loss, float("nan")
        targets = self._samples.targets[order]
        return loss, accuracy(self._task, np.concatenate(outputs), targets, weights)

    def _held_out_loss(self) -> float | None:
        """Return the loss on the held-out samples, and note it for early stopping."""
        if self._early_stopping is None:
            return None
        loss, _ = evaluate_batches(self._engine, self._batch, self._early_stopping.samples)
        self._early_stopping.note(loss, self._engine)
        return loss

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
        self._loss = float("inf")
        self._patience = patience
        self._waited = 0

    @property
    def is_over(self) -> bool:
        """Whether the loss has not fallen for `patience` epochs."""
        return self._patience is not None and self._waited >= self._patience

    def note(self, loss: float, engine: Engine) -> None:
        """Note the loss of an epoch, and keep the weights if it is the lowest."""
        if loss < self._loss:
            self.best, self._loss, self._waited = engine.variables(), loss, 0
        else:
            self._waited += 1


def _parts(count: int, parts: int) -> list[slice]:
    """Split `count` rows into parts whose sizes differ by at most one."""
    ends = np.cumsum([count // parts + (part < count % parts) for part in range(parts)]).tolist()
    return [slice(start, end) for start, end in zip([0, *ends], ends, strict=False)]


class _NotFiniteError(Exception):
    """A loss or weight that is no longer finite."""
