"""What a model hands back: predictions, the course of training, and how good it is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from .html import evaluation_html, history_html

__all__ = ["Epoch", "Evaluation", "History", "Prediction"]


@dataclass(frozen=True)
class Prediction:
    """One class that an input may belong to.

    Attributes:
        label: the class's name.
        probability: 0…1; those of all classes sum to 1.
    """

    label: str
    probability: float


@dataclass(frozen=True)
class Epoch:
    """One pass over the samples, as the callback of `fit` gets it.

    Attributes:
        epoch: 1 for the first.
        epochs: how many there will be, unless training is stopped.
        loss: the mean over the samples, each measured before the step that it took part in.
        accuracy: likewise, 0…1.
        learning_rate: of the epoch's last step.
    """

    epoch: int
    epochs: int
    loss: float
    accuracy: float
    learning_rate: float


@dataclass(frozen=True)
class History:
    """What one `fit` did.

    Attributes:
        epochs: each whole epoch.
        steps: how many batches were learned from, those of an unfinished epoch included.
        samples: how many were learned from.
        stopped: it was asked to stop before the last epoch was done.
    """

    epochs: tuple[Epoch, ...]
    steps: int
    samples: int
    stopped: bool = False

    def _repr_html_(self) -> str:
        """How a notebook shows it."""
        return history_html(self)

    def __repr__(self) -> str:
        losses = [f"{epoch.loss:.3f}" for epoch in self.epochs]
        course = f", loss {losses[0]} to {losses[-1]}" if losses else ""
        return f"<History: {len(self.epochs)} epochs of {self.samples} samples{course}>"


@dataclass(frozen=True)
class Evaluation:
    """How good a model is on samples with known labels.

    Attributes:
        accuracy: the part that is right, 0…1.
        loss: the mean over the samples.
        samples: how many there were.
        labels: the classes, in the order of `confusion`.
        per_class: name → the part of the class's samples that is right; None where it has none.
        confusion: int64 [classes, classes]: how many samples of each class (row) were taken for
            each (column).
    """

    accuracy: float
    loss: float
    samples: int
    labels: tuple[str, ...]
    per_class: Mapping[str, float | None]
    confusion: np.ndarray

    def _repr_html_(self) -> str:
        """How a notebook shows it."""
        return evaluation_html(self)
