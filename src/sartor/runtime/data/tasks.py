"""Tasks: the meaning of labels, and the correctness of outputs."""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Collection, Mapping, Sequence
from typing import Protocol, TypeAlias

import numpy as np

from ...errors import DataError

__all__ = ["TASKS", "Classification", "Label", "MultiLabel", "Regression", "Task", "accuracy"]

Label: TypeAlias = "str | Collection[str] | Mapping[str, bool | float]"
"""The label of a sample.

| task | label |
|---|---|
| classification | name of the class |
| multi_label | names of all labels that apply |
| multi_label | name → whether it applies; other targets are missing |
| regression | name → value; other targets are missing |
"""


_SMOOTHING = 0.3  # of the labels: the part of a target that all classes share

_NOT_IN_NAMES = ("Cc", "Cs", "Zl", "Zp")
"""Categories of control characters, surrogates and line ends."""


class Task(Protocol):
    """A task of a head. Arrays have one row per sample and one column per class index."""

    def targets(self, label: Label, classes: Sequence[str]) -> dict[str, float]:
        """Return the targets of a label: class name → target.

        Args:
            label: label of a sample.
            classes: names of all present classes.

        Raises:
            DataError: If the label is not valid for the task.
        """
        ...

    def weights(self, targets: np.ndarray, sample_fraction: np.ndarray) -> np.ndarray:
        """Return the weights of a data set: float32 [N], or [N, C] if outputs are independent.

        Args:
            targets: float32 [N, C]; NaN where a target is missing.
            sample_fraction: float64 [N]; see `Dataset`.
        """
        ...

    def training_targets(self, targets: np.ndarray) -> np.ndarray:
        """Return the targets of training steps: float32 [N, C].

        Args:
            targets: float32 [N, C]; 0 where a target is missing.
        """
        ...

    def correct(self, outputs: np.ndarray, targets: np.ndarray, weights: np.ndarray) -> np.ndarray:
        """Return which outputs are correct: bool [N], or [N, C] if outputs are independent.

        Args:
            outputs: float32 [N, C].
            targets: float32 [N, C]; 0 where a target is missing.
            weights: as `weights` returns them.
        """
        ...


class Classification:
    """The task of predicting one class per sample."""

    def targets(self, label: Label, classes: Sequence[str]) -> dict[str, float]:
        """Return the target of the class; see `Task.targets`."""
        return {_class_name(label): 1.0}

    def weights(self, targets: np.ndarray, sample_fraction: np.ndarray) -> np.ndarray:
        """Return class-balanced weights: their sum is the same for all classes."""
        class_indices = np.nanargmax(targets, 1)
        counts = np.bincount(class_indices, sample_fraction)
        balance = sample_fraction.sum() / (np.count_nonzero(counts) * counts[class_indices])
        return np.asarray(sample_fraction * balance, np.float32)

    def training_targets(self, targets: np.ndarray) -> np.ndarray:
        """Return targets with label smoothing (Szegedy et al., 2016) over the classes of the rows.

        The loss then has its minimum at finite weights, also where samples have wrong labels.
        """
        is_present = targets.any(0)
        share = _SMOOTHING / max(1, int(is_present.sum()))
        return np.asarray((1 - _SMOOTHING) * targets + share * is_present, np.float32)

    def correct(self, outputs: np.ndarray, targets: np.ndarray, weights: np.ndarray) -> np.ndarray:
        """Return whether the largest output is that of the true class, bool [N]."""
        return np.asarray(outputs.argmax(1) == targets.argmax(1))


class MultiLabel:
    """The task of predicting for each class whether it applies."""

    def targets(self, label: Label, classes: Sequence[str]) -> dict[str, float]:
        """Return 1 for classes that apply, else 0; see `Task.targets`.

        The targets of classes that are added later are missing.
        """
        if isinstance(label, Mapping):
            return {_class_name(name): float(bool(value)) for name, value in label.items()}
        names = [label] if isinstance(label, str) else _class_names(label)
        return {**dict.fromkeys(classes, 0.0), **{_class_name(name): 1.0 for name in names}}

    def weights(self, targets: np.ndarray, sample_fraction: np.ndarray) -> np.ndarray:
        """Return the sample fraction where a target is present, [N, C]."""
        return _mask_missing(targets, sample_fraction)

    def training_targets(self, targets: np.ndarray) -> np.ndarray:
        """Return the targets."""
        return targets

    def correct(self, outputs: np.ndarray, targets: np.ndarray, weights: np.ndarray) -> np.ndarray:
        """Return whether output and target are on the same side of 0.5, bool [N, C]."""
        return np.asarray(((outputs > 0.5) == (targets > 0.5)) & (weights > 0))


class Regression:
    """The task of predicting numbers."""

    def targets(self, label: Label, classes: Sequence[str]) -> dict[str, float]:
        """Return the values; see `Task.targets`."""
        if not isinstance(label, Mapping):
            raise DataError(f"the model predicts numbers: give name → number; got {label!r}")
        return {_class_name(name): _finite_number(name, value) for name, value in label.items()}

    def weights(self, targets: np.ndarray, sample_fraction: np.ndarray) -> np.ndarray:
        """Return the sample fraction where a target is present, [N, C]."""
        return _mask_missing(targets, sample_fraction)

    def training_targets(self, targets: np.ndarray) -> np.ndarray:
        """Return the targets."""
        return targets

    def correct(self, outputs: np.ndarray, targets: np.ndarray, weights: np.ndarray) -> np.ndarray:
        """Return False everywhere, bool [N, C]: a regression has no accuracy."""
        return np.zeros(targets.shape, bool)


TASKS: Mapping[str, Task] = {
    "classification": Classification(),
    "multi_label": MultiLabel(),
    "regression": Regression(),
}
"""`Manifest.task` → task."""


def accuracy(task: Task, outputs: np.ndarray, targets: np.ndarray, weights: np.ndarray) -> float:
    """Return the fraction of correct outputs, 0…1, among those with a weight above 0.

    Args:
        task: task of the head; a regression has no accuracy.
        outputs: float32 [N, C].
        targets: float32 [N, C]; 0 where a target is missing.
        weights: as `Task.weights` returns them; at least one above 0.
    """
    correct = task.correct(outputs, targets, weights)
    return float(np.count_nonzero(correct) / np.count_nonzero(weights))


def _mask_missing(targets: np.ndarray, sample_fraction: np.ndarray) -> np.ndarray:
    return np.where(np.isnan(targets), 0, sample_fraction[:, np.newaxis]).astype(np.float32)


def _class_name(label: object) -> str:
    if not isinstance(label, str) or not label.strip():
        raise DataError(f"a label must be the name of a class, such as 'hat'; got {label!r}")
    if any(unicodedata.category(character) in _NOT_IN_NAMES for character in label):
        raise DataError(f"a label must be one line of printable characters; got {label!r}")
    return label


def _class_names(labels: object) -> list[object]:
    if not isinstance(labels, Collection) or isinstance(labels, bytes):
        raise DataError(f"labels are the names of classes, as ['hat', 'scarf']; got {labels!r}")
    return list(labels)


def _finite_number(name: str, value: object) -> float:
    if not isinstance(value, int | float | np.number) or not math.isfinite(value):
        raise DataError(f"{name} must be a finite number, got {value!r}")
    return float(value)
