"""The training loop: epochs of steps on one engine."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from ..._random_numbers import RandomNumbers
from ...contract.manifest import Manifest
from ...contract.names import LEARNING_RATE, LOSS, OUTPUT, WEIGHT_DECAY
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
        self._samples = samples
        self._control = control
        self._numbers = RandomNumbers(seed)
        self._early_stopping = None if held_out is None else _EarlyStopping(held_out, patience)
        self._epochs: list[Epoch] = []
        self._steps = 0
        self._stopped = False

    @property
    def history(self) -> History:
        """The history of all stages until now."""
        return History(
            tuple(self._epochs), self._steps, self._samples.sample_count, stopped=self._stopped
        )

    def run(
        self, schedule: Schedule, on_epoch: EpochCallback | None = None, planned: int = 0
    ) -> None:
        """Train one stage from the present weights of the engine.

        An error of `on_epoch` ends the training and is raised; the present weights stay.

        Args:
            schedule: number of epochs, learning rates and weight decay.
            on_epoch: called after each epoch.
            planned: number of epochs of all stages, for `on_epoch`. Default: those until the end
                of this stage.

        Raises:
            TrainingError: If the loss or a weight is no longer finite.
        """
        first, start = len(self._epochs), self._steps
        last = first + schedule.epochs
        self._set_weight_decay(schedule)
        try:
            while len(self._epochs) < last:
                epoch = self._epoch(schedule, start, max(planned, last))
                if epoch is None:
                    break
                self._epochs.append(epoch)
                stop = on_epoch is not None and on_epoch(epoch) is False
                if stop or self._control.stopped or self._is_converged():
                    break
            self._check_weights()
        except _NotFiniteError as error:
            raise TrainingError(
                f"{error} is no longer finite after {self._steps} steps; the weights before the "
                "training stay. Train with a lower learning rate"
            ) from None
        is_complete = len(self._epochs) == last or self._is_converged() or self._control.used == 1
        self._stopped = not is_complete
        if self._early_stopping is not None and self._early_stopping.best is not None:
            self._engine.restore(self._early_stopping.best)

    def _epoch(self, schedule: Schedule, start: int, planned: int) -> Epoch | None:
        """Train one epoch in random order; return None if it was stopped."""
        order = self._numbers.permutation(len(self._samples))
        parts = _parts(len(order), schedule.batches)
        losses, outputs, rate = [], [], 0.0
        for part in parts:
            if not self._control.wait():
                return None
            progress = max((self._steps - start) / schedule.steps, self._control.used)
            rate = schedule.rate(progress)
            loss, output = self._step(order[part], rate)
            losses.append(loss)
            outputs.append(output)
        loss, accuracy = self._summarize(order, parts, losses, outputs)
        number = len(self._epochs) + 1
        return Epoch(number, planned, loss, accuracy, rate, self._held_out_loss())

    def _set_weight_decay(self, schedule: Schedule) -> None:
        if schedule.weight_decay is not None:
            value = np.full(1, schedule.weight_decay, np.float32)
            self._engine.restore({**self._engine.variables(), WEIGHT_DECAY: value})

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
        self,
        order: np.ndarray,
        parts: list[slice],
        losses: list[float],
        outputs: list[np.ndarray],
    ) -> tuple[float, float]:
        """Return the mean loss and the accuracy of an epoch, computed once to keep steps short."""
        weights = self._samples.weights[order]
        rows = weights.sum(1) if weights.ndim > 1 else weights
        sums = np.add.reduceat(rows, [part.start for part in parts], dtype=np.float64)
        loss = float(sums @ losses) / float(sums.sum())
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
