"""Epochs of steps on one engine."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence

import numpy as np

from ..contract import LEARNING_RATE, LOSS, OUTPUT
from ..errors import TrainingError
from ..manifest import Manifest
from .batches import Batch
from .engine import Engine
from .policy import Schedule
from .results import Epoch, History

__all__ = ["EpochCallback", "Trainer"]

EpochCallback = Callable[[Epoch], object]
"""Called after each epoch; returning False ends the training."""


class Trainer:
    """Trains what an engine holds, on one set of samples.

    Args:
        engine: others may use it meanwhile.
        manifest: of its file.
        features: float32 [N, …] each; N above 0.
        slots: int [N]; the class of each sample.
        schedule: how long and how fast.
        stop: set it from anywhere, and training ends after the step that runs.
    """

    def __init__(
        self,
        engine: Engine,
        manifest: Manifest,
        features: Sequence[np.ndarray],
        slots: np.ndarray,
        schedule: Schedule,
        stop: threading.Event,
    ) -> None:
        self._engine = engine
        self._batch = Batch(manifest)
        self._features = features
        self._slots = slots
        self._weights = _balanced(slots)
        self._schedule = schedule
        self._stop = stop
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
                if (on_epoch is not None and on_epoch(epoch) is False) or self._stop.is_set():
                    break
            self._check_weights()
        except _NotFiniteError as error:
            raise TrainingError(
                f"{error} is no longer finite after {self._steps} steps, so the weights are as "
                "they were before: train with a lower learning rate"
            ) from None
        stopped = len(done) < self._schedule.epochs
        return History(tuple(done), self._steps, len(self._slots), stopped)

    def _epoch(self, number: int, rng: np.random.Generator) -> Epoch | None:
        """One pass in random order; None when it was stopped within."""
        count, weights = len(self._slots), self._weights
        loss = right = rate = 0.0
        # Parts whose sizes differ by one at most, so that no sample weighs more than another.
        for part in np.array_split(rng.permutation(count), self._schedule.batches):
            if self._stop.is_set():
                return None
            rate = self._schedule.rate(self._steps)
            part_loss, part_right = self._step(part, rate)
            loss += part_loss * float(weights[part].sum())
            right += part_right
        return Epoch(number, self._schedule.epochs, loss / count, right / count, rate)

    def _step(self, part: np.ndarray, rate: float) -> tuple[float, int]:
        """Learn from some samples; returns their mean loss, and how many were right before."""
        inputs = self._batch.labelled(self._features, part, self._slots, self._weights)
        inputs[LEARNING_RATE] = np.full(1, rate, np.float32)
        outputs = self._engine.run("train", inputs)
        self._steps += 1
        loss = float(outputs[LOSS][0])
        if not np.isfinite(loss):
            raise _NotFiniteError("the loss")
        return loss, int((outputs[OUTPUT][: len(part)].argmax(1) == self._slots[part]).sum())

    def _check_weights(self) -> None:
        for name, value in self._engine.state().items():
            if not np.isfinite(value).all():
                raise _NotFiniteError(name)


def _balanced(slots: np.ndarray) -> np.ndarray:
    """A weight for each sample, such that all classes count the same, and N in all."""
    counts = np.bincount(slots)
    return np.asarray(len(slots) / (np.count_nonzero(counts) * counts[slots]), np.float32)


class _NotFiniteError(Exception):
    """What is no longer finite."""
