"""The epochs of a training of several parts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ..results.records import Epoch
from .trainer import EpochCallback

__all__ = ["Progress"]


class Progress:
    """The epochs of all parts of a training, numbered on from those of the head.

    Args:
        on_epoch: called after each epoch; returning False stops the training.
        epochs: epochs of the head.

    Attributes:
        epochs: the epochs until now.
        stopped: whether the callback has stopped the training.
    """

    def __init__(self, on_epoch: EpochCallback | None, epochs: Sequence[Epoch]) -> None:
        self._on_epoch = on_epoch
        self.epochs = list(epochs)
        self.stopped = False

    def next_part(self, later: int = 0) -> EpochCallback:
        """Return the callback of the next part, which `later` more epochs follow."""
        first = len(self.epochs)

        def end_epoch(epoch: Epoch) -> object:
            planned = first + epoch.epochs + later
            self.epochs.append(replace(epoch, epoch=first + epoch.epoch, epochs=planned))
            result = None if self._on_epoch is None else self._on_epoch(self.epochs[-1])
            self.stopped = result is False
            return result

        return end_epoch
