"""What a label is, and what counts as right: one class for each task that a head may have."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from typing import Protocol, TypeAlias

import numpy as np

from ...errors import DataError

__all__ = ["TASKS", "Classification", "Label", "MultiLabel", "Regression", "Task"]

Label: TypeAlias = "str | Collection[str] | Mapping[str, bool | float]"
"""What a sample is. One class: its name. Several labels: the names of all that apply, or a mapping
from names to whether they apply, where one that is not named is left open. Numbers: name → value.
"""


class Task(Protocol):
    """What differs between tasks; arrays have a row a sample and a column a class slot."""

    def targets(self, label: Label, known: Sequence[str]) -> dict[str, float]:
        """Class name → target, of what a user says; raises DataError when it is no label."""
        ...

    def weights(self, targets: np.ndarray, shares: np.ndarray) -> np.ndarray:
        """How much each row counts: float32 [N], or [N, C] where each output stands for itself.

        Args:
            targets: float32 [N, C], NaN where nothing is known.
            shares: float32 [N]; the part of its sample that each row is.
        """
        ...

    def right(self, output: np.ndarray, targets: np.ndarray, weights: np.ndarray) -> np.ndarray:
        """Whether each answer is right: bool [N], or [N, C]; numbers are never right."""
        ...


class Classification:
    """Each sample is of one class."""

    def targets(self, label: Label, known: Sequence[str]) -> dict[str, float]:
        """See `Task`."""
        return {_name(label): 1.0}

    def weights(self, targets: np.ndarray, shares: np.ndarray) -> np.ndarray:
        """All classes count the same."""
        slots = np.nanargmax(targets, 1)
        counts = np.bincount(slots, shares)
        even = shares.sum() / (np.count_nonzero(counts) * counts[slots])
        return np.asarray(shares * even, np.float32)

    def right(self, output: np.ndarray, targets: np.ndarray, weights: np.ndarray) -> np.ndarray:
        """See `Task`."""
        return np.asarray(output.argmax(1) == targets.argmax(1))


class MultiLabel:
    """Each class applies to a sample or not, or it is not known."""

    def targets(self, label: Label, known: Sequence[str]) -> dict[str, float]:
        """See `Task`; a class that is made later leaves the sample open."""
        if isinstance(label, Mapping):
            return {_name(name): float(bool(value)) for name, value in label.items()}
        names = [label] if isinstance(label, str) else _names(label)
        return {**dict.fromkeys(known, 0.0), **{_name(name): 1.0 for name in names}}

    def weights(self, targets: np.ndarray, shares: np.ndarray) -> np.ndarray:
        """Each answer that is known counts the same."""
        return _where_known(targets, shares)

    def right(self, output: np.ndarray, targets: np.ndarray, weights: np.ndarray) -> np.ndarray:
        """See `Task`."""
        return np.asarray(((output > 0.5) == (targets > 0.5)) & (weights > 0))


class Regression:
    """Each output is a number."""

    def targets(self, label: Label, known: Sequence[str]) -> dict[str, float]:
        """See `Task`."""
        if not isinstance(label, Mapping):
            raise DataError(f"the model learns numbers: give name → number; got {label!r}")
        return {_name(name): _number(name, value) for name, value in label.items()}

    def weights(self, targets: np.ndarray, shares: np.ndarray) -> np.ndarray:
        """Each number that is known counts the same."""
        return _where_known(targets, shares)

    def right(self, output: np.ndarray, targets: np.ndarray, weights: np.ndarray) -> np.ndarray:
        """See `Task`."""
        return np.zeros(targets.shape, bool)


TASKS: Mapping[str, Task] = {
    "classification": Classification(),
    "multi_label": MultiLabel(),
    "regression": Regression(),
}
"""`Manifest.task` → what it means."""


def _where_known(targets: np.ndarray, shares: np.ndarray) -> np.ndarray:
    return np.where(np.isnan(targets), 0, shares[:, np.newaxis]).astype(np.float32)


def _name(label: object) -> str:
    if not isinstance(label, str) or not label.strip():
        raise DataError(f"a label is the name of a class, as 'hat'; got {label!r}")
    return label


def _names(labels: object) -> list[object]:
    if not isinstance(labels, Collection) or isinstance(labels, bytes):
        raise DataError(f"labels are the names of classes, as ['hat', 'scarf']; got {labels!r}")
    return list(labels)


def _number(name: str, value: object) -> float:
    if not isinstance(value, int | float | np.number) or not math.isfinite(value):
        raise DataError(f"{name} must be a finite number, got {value!r}")
    return float(value)
