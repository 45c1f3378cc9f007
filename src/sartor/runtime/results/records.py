"""Results of a model: predictions, training history and evaluation."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np

from .html import evaluation_html, history_html

__all__ = ["Epoch", "Evaluation", "History", "Prediction", "Predictions"]


@dataclass(frozen=True)
class Prediction:
    """The prediction of one class.

    Attributes:
        label: name of the class.
        probability: 0…1; in a classification, the probabilities of all classes sum to 1.
    """

    label: str
    probability: float


class Predictions(tuple[Prediction, ...]):
    """The predictions for one input, by falling probability; empty if the model has no class.

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
        """The most probable class; None if there is none or the input is out-of-distribution."""
        return self[0] if self and self.in_distribution is not False else None


@dataclass(frozen=True)
class Epoch:
    """The metrics of one epoch, as the callback of `fit` receives them.

    Attributes:
        epoch: number of the epoch, from 1.
        epochs: number of epochs planned.
        loss: mean loss over the training samples, each measured before its step; of a
            classification, with smoothed labels.
        accuracy: accuracy on the training samples, each measured before its step, 0…1; NaN for a
            regression.
        learning_rate: learning rate of the last step.
        held_out_loss: loss on held-out samples; None without early stopping.
    """

    epoch: int
    epochs: int
    loss: float
    accuracy: float
    learning_rate: float
    held_out_loss: float | None = None


@dataclass(frozen=True)
class History:
    """The history of one training.

    Attributes:
        epochs: metrics of each complete epoch.
        steps: number of training steps, including those of an incomplete epoch.
        samples: number of training samples.
        stopped: whether the training was stopped before the last epoch.
        expected_accuracy: accuracy on held-out samples by cross-validation, 0…1: an estimate for
            new samples. None if it is unknown; `warnings` says why.
        calibration_error: expected calibration error on held-out samples by cross-validation,
            0…1. None if it is unknown.
        warnings: messages about what the training may have damaged, and about what could not be
            measured.
        depth: what was trained: `head`, or `layers` for the tuned layers too.
    """

    epochs: tuple[Epoch, ...]
    steps: int
    samples: int
    stopped: bool = False
    expected_accuracy: float | None = None
    calibration_error: float | None = None
    warnings: tuple[str, ...] = ()
    depth: str = "head"

    def _repr_html_(self) -> str:
        """Return the HTML that a notebook shows."""
        return history_html(self)

    def __repr__(self) -> str:
        losses = [f"{epoch.loss:.3f}" for epoch in self.epochs]
        loss = f", loss {losses[0]} to {losses[-1]}" if losses else ""
        return f"<History: {len(self.epochs)} epochs of {self.samples} samples{loss}>"


@dataclass(frozen=True)
class Evaluation:
    """The metrics of a model on labelled samples.

    Attributes:
        accuracy: fraction of correct predictions, 0…1; NaN for a regression.
        loss: mean loss over the samples.
        samples: number of samples.
        labels: class names, in the order of `confusion`.
        per_class: class name → fraction of correct predictions among the samples of the class
            (recall); for several labels per sample, the accuracy of that label. None for a class
            without samples.
        confusion: confusion matrix, int64 [classes, classes]: rows are true classes, columns are
            predictions. [0, 0] unless the task is classification.
        calibration_error: expected calibration error, 0…1; None unless the task is
            classification.
        absolute_error: name → mean absolute error, None without samples; empty unless the task is
            regression.
        support: class name → number of samples of the class; for regression, with a value of it.
    """

    accuracy: float
    loss: float
    samples: int
    labels: tuple[str, ...]
    per_class: Mapping[str, float | None]
    confusion: np.ndarray
    calibration_error: float | None = None
    absolute_error: Mapping[str, float | None] = field(default_factory=dict)
    support: Mapping[str, int] = field(default_factory=dict, repr=False)

    def _repr_html_(self) -> str:
        """Return the HTML that a notebook shows."""
        return evaluation_html(self)
