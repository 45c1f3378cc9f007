"""Epochs of steps on one engine."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from ...contract.manifest import Manifest
from ...contract.names import LEARNING_RATE, LOSS, OUTPUT
from ...errors import TrainingError
from ...litert import Engine
from ..data.batches import Batch, evaluate_batches
from ..data.dataset import Dataset
from ..data.tasks import TASKS
from ..results.records import Epoch, History
from .control import Control
from .schedule import Schedule

__all__ = ["EpochCallback", "Trainer"]

EpochCallback = Callable[[Epoch], object]
"""Called after each epoch; returning False ends the training."""


class Trainer:
    """Trains what an engine holds, on one set of samples.

    Args:
        engine: nobody else calls it meanwhile.
        manifest: of its file.
        samples: at least one.
        schedule: how long and how fast.
        control: pauses it, and ends it after the step that runs.
        held_out: samples to watch that are not learned from; the weights of the epoch that was
            best on them are what stays.
        patience: end after so many epochs in which the loss on `held_out` did not fall.
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
        self._watch = None if held_out is None else _Watch(held_out, patience)
        self._steps = 0

    def run(self, seed: int, on_epoch: EpochCallback | None = None) -> History:
        """Train from the present weights; the same seed gives the same weights.

        An error that `on_epoch` raises ends the training and is passed on; what was learned stays.

        Raises:
            TrainingError: the loss or a weight is no longer finite, and the weights are useless.
        """
        done: list[Epoch] = []
        rng = np.random.default_rng(seed)
        try:
            while len(done) < self._schedule.epochs:
                epoch = self._epoch(len(done) + 1, rng)
                if epoch is None:
                    break
                done.append(epoch)
                asked = on_epoch is not None and on_epoch(epoch) is False
                if asked or self._control.stopped or self._is_enough():
                    break
            self._check_weights()
        except _NotFiniteError as error:
            raise TrainingError(
                f"{error} is no longer finite after {self._steps} steps, so the weights are as "
                "they were before: train with a lower learning rate"
            ) from None
        whole = len(done) == self._schedule.epochs or self._is_enough() or self._control.used == 1
        if self._watch is not None and self._watch.best is not None:
            self._engine.restore(self._watch.best)
        return History(tuple(done), self._steps, self._samples.sample_count, stopped=not whole)

    def _epoch(self, number: int, rng: np.random.Generator) -> Epoch | None:
        """One pass in random order; None when it was stopped within."""
        order = rng.permutation(len(self._samples))
        losses, outputs, rate = [], [], 0.0
        for part in self._parts:
            if not self._control.wait():
                return None
            rate = self._schedule.rate(self._progress())
            loss, output = self._step(order[part], rate)
            losses.append(loss)
            outputs.append(output)
        loss, accuracy = self._summed(order, losses, outputs)
        return Epoch(number, self._schedule.epochs, loss, accuracy, rate, self._measured())

    def _progress(self) -> float:
        """How much of the training is over, by its steps or by its time."""
        return max(self._steps / self._schedule.steps, self._control.used)

    def _step(self, rows: np.ndarray, rate: float) -> tuple[float, np.ndarray]:
        """Learn from some rows; returns their mean loss and the outputs before."""
        inputs = self._batch.labelled_inputs(self._samples, rows)
        inputs[LEARNING_RATE] = np.full(1, rate, np.float32)
        outputs = self._engine.run("train", inputs)
        self._steps += 1
        loss = float(outputs[LOSS][0])
        if not math.isfinite(loss):
            raise _NotFiniteError("the loss")
        return loss, outputs[OUTPUT][: len(rows)]

    def _summed(
        self, order: np.ndarray, losses: list[float], outputs: list[np.ndarray]
    ) -> tuple[float, float]:
        """The mean loss and the accuracy of an epoch; once, as every step is to be short."""
        weights = self._samples.weights[order]
        rows = weights.sum(1) if weights.ndim > 1 else weights
        parts = np.add.reduceat(rows, [part.start for part in self._parts], dtype=np.float64)
        loss = float(parts @ losses) / float(parts.sum())
        if not self._has_accuracy:
            return loss, float("nan")
        right = self._task.right(np.concatenate(outputs), self._samples.targets[order], weights)
        return loss, np.count_nonzero(right) / np.count_nonzero(weights)

    def _measured(self) -> float | None:
        """The loss on the samples that are watched."""
        if self._watch is None:
            return None
        loss, _ = evaluate_batches(self._engine, self._batch, self._watch.samples)
        self._watch.see(loss, self._engine)
        return loss

    def _is_enough(self) -> bool:
        return self._watch is not None and self._watch.is_over

    def _check_weights(self) -> None:
        for name, value in self._engine.variables().items():
            if not np.isfinite(value).all():
                raise _NotFiniteError(name)


class _Watch:
    """The best weights so far, by their loss on samples that are not learned from."""

    def __init__(self, samples: Dataset, patience: int | None) -> None:
        self.samples = samples
        self.best: dict[str, np.ndarray] | None = None
        self._loss = float("inf")
        self._patience = patience
        self._waited = 0

    @property
    def is_over(self) -> bool:
        """Whether nothing became better for as long as one is to wait."""
        return self._patience is not None and self._waited >= self._patience

    def see(self, loss: float, engine: Engine) -> None:
        """Take note of an epoch's loss; one that is not finite is no better than any."""
        if loss < self._loss:
            self.best, self._loss, self._waited = engine.variables(), loss, 0
        else:
            self._waited += 1


def _parts(count: int, parts: int) -> list[slice]:
    """Cut so many rows into parts whose sizes differ by one at most, so that all weigh the same."""
    ends = np.cumsum([count // parts + (part < count % parts) for part in range(parts)]).tolist()
    return [slice(start, end) for start, end in zip([0, *ends], ends, strict=False)]


class _NotFiniteError(Exception):
    """What is no longer finite."""
