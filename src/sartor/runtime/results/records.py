"""What a model hands back: predictions, the course of training, and how good it is."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np

from .html import evaluation_html, history_html

__all__ = ["Epoch", "Evaluation", "History", "Prediction", "Predictions"]


@dataclass(frozen=True)
class Prediction:
    """One class that an input may belong to.

    Attributes:
        label: the class's name.
        probability: 0…1; where a sample is of one class, those of all classes sum to 1.
    """

    label: str
    probability: float


class Predictions(tuple[Prediction, ...]):
    """What an input may be: every class, the most probable first; empty while there are none.

    Attributes:
        in_distribution: False if the input is out-of-distribution ("none of these"); None if the
            model has no OOD detector, because it was not trained or has too few samples.
    """

    in_distribution: bool | None

    def __new__(
        cls, predictions: Iterable[Prediction], in_distribution: bool | None = None
    ) -> Predictions:
        """Sort predictions by falling probability."""
        ranked = super().__new__(cls, sorted(predictions, key=lambda each: -each.probability))
        ranked.in_distribution = in_distribution
        return ranked

    @property
    def best(self) -> Prediction | None:
        """The most probable class; None where it is none of these."""
        return self[0] if self and self.in_distribution is not False else None


@dataclass(frozen=True)
class Epoch:
    """One pass over the samples, as the callback of `fit` gets it.

    Attributes:
        epoch: 1 for the first.
        epochs: how many there will be, unless training ends before.
        loss: the mean over the samples, each measured before the step that it took part in.
        accuracy: likewise, 0…1; NaN where the model learns numbers.
        learning_rate: of the epoch's last step.
        held_out_loss: the loss on samples that are not learned from; None where none are watched.
    """

    epoch: int
    epochs: int
    loss: float
    accuracy: float
    learning_rate: float
    held_out_loss: float | None = None


@dataclass(frozen=True)
class History:
    """What one training did.

    Attributes:
        epochs: each whole epoch.
        steps: how many batches were learned from, those of an unfinished epoch included.
        samples: how many were learned from.
        stopped: it was asked to stop before the last epoch was done.
        expected_accuracy: 0…1; how good the model will be on samples that it has not seen, by
            those that parts of the training left out; None where there were too few.
        calibration_error: 0…1; how far the probabilities of such samples lie from how often they
            are right, as a mean (expected calibration error); None likewise.
    """

    epochs: tuple[Epoch, ...]
    steps: int
    samples: int
    stopped: bool = False
    expected_accuracy: float | None = None
    calibration_error: float | None = None

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
        accuracy: the part of the answers that is right, 0…1; NaN where the model learns numbers.
        loss: the mean over the samples.
        samples: how many there were.
        labels: the classes, in the order of `confusion`.
        per_class: name → the part of the class's samples that is right; where samples have several
            labels, of the answers on this one; None where there are none.
        confusion: int64 [classes, classes]: how many samples of each class (row) were taken for
            each (column); [0, 0] unless a sample is of one class.
        calibration_error: 0…1; how far probabilities lie from how often they are right, as a mean
            (expected calibration error); None where the model learns numbers.
        absolute_error: name → mean distance to the right number, None where there are none; empty
            unless the model learns numbers.
    """

    accuracy: float
    loss: float
    samples: int
    labels: tuple[str, ...]
    per_class: Mapping[str, float | None]
    confusion: np.ndarray
    calibration_error: float | None = None
    absolute_error: Mapping[str, float | None] = field(default_factory=dict)

    def _repr_html_(self) -> str:
        """How a notebook shows it."""
        return evaluation_html(self)
