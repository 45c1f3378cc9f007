"""Adapt a checkpoint to a model of another capacity or with another optimizer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from ...contract.manifest import Manifest, VariableSpec
from ...contract.names import (
    MASK,
    OPTIMIZER_STATE,
    RANDOM_STATE,
    STATISTIC,
    TEMPERATURE,
    WEIGHT_DECAY,
)
from ...errors import CheckpointError
from .checkpoint import Checkpoint

__all__ = ["Adapted", "adapt"]

_LARGEST = 1e15  # its square still fits into float32
_LARGEST_FACTOR = 1e8  # of a classification: logits are products; inactive classes are 1e30 below
_SMALLEST = 1e-15  # statistics divide


@dataclass(frozen=True)
class Adapted:
    """A checkpoint in the shapes of a model.

    Attributes:
        variables: name → value, of every variable of the model.
        classes: class name of each class index; None for a free one.
        class_keys: key of each class index; None for a free one.
        notes: messages about the parts of the checkpoint that were dropped.
    """

    variables: dict[str, np.ndarray]
    classes: tuple[str | None, ...]
    class_keys: tuple[str | None, ...]
    notes: tuple[str, ...]


def adapt(
    checkpoint: Checkpoint, manifest: Manifest, initial: Mapping[str, np.ndarray], name: str
) -> Adapted:
    """Adapt a checkpoint to a model.

    Args:
        checkpoint: checkpoint of the same base and head.
        manifest: manifest of the model.
        initial: name → initial value, of every variable of the model.
        name: name of the checkpoint for messages.

    Raises:
        CheckpointError: If the checkpoint belongs to another base or head, uses more classes than
            the capacity of the model, or lacks a tensor, or has one of another shape or
            with a value that no training gives.
    """
    _check_fingerprints(checkpoint, manifest, name)
    classes = _adapt_classes(checkpoint, manifest, name)
    keys = {
        **dict(zip(manifest.classes, manifest.class_keys or manifest.classes, strict=True)),
        **dict(zip(checkpoint.classes, checkpoint.class_keys or checkpoint.classes, strict=True)),
    }
    same_optimizer = checkpoint.fingerprints.optimizer == manifest.fingerprints.optimizer
    variables = {}
    for spec in manifest.variables:
        value = initial[spec.name]
        if _is_taken_over(spec, checkpoint, same_optimizer):
            value = _adapt_variable(spec, checkpoint, value, name)
        _check_values(spec, value, manifest.task, name)
        variables[spec.name] = np.array(value, np.float32)
    free = [index for index, each in enumerate(classes) if each is None]
    if MASK in variables:
        _check_mask(checkpoint, name)
        variables[MASK][free] = 0
    notes = () if same_optimizer else (
        f"{name} was trained with another optimizer: its optimizer state is dropped",
    )  # fmt: skip
    return Adapted(variables, classes, tuple(keys.get(each) for each in classes), notes)


def _check_fingerprints(checkpoint: Checkpoint, manifest: Manifest, name: str) -> None:
    actual, expected = checkpoint.fingerprints, manifest.fingerprints
    for part, other, own in (
        ("base", actual.base, expected.base),
        ("head", actual.head, expected.head),
    ):
        if other != own:
            raise CheckpointError(
                f"{name} was saved from a model with another {part} ({other[:8]}, this model's "
                f"is {own[:8]}): load it into the model that it was trained with, or train again"
            )


def _adapt_classes(checkpoint: Checkpoint, manifest: Manifest, name: str) -> tuple[str | None, ...]:
    """Return the class names of the checkpoint, followed by those of the file."""
    capacity, classes = manifest.capacity, checkpoint.classes
    if any(each is not None for each in classes[capacity:]):
        used = max(index for index, each in enumerate(classes) if each is not None) + 1
        raise CheckpointError(
            f"{name} uses {used} class indices, and the capacity of the model is {capacity}: "
            f"convert the base again with --classes {used} (in Python: classes={used}); the "
            "checkpoint stays valid"
        )
    others = manifest.classes[len(classes) :]
    return (*classes[:capacity], *(None if each in classes else each for each in others))


def _check_values(spec: VariableSpec, value: np.ndarray, task: str, name: str) -> None:
    """Raise CheckpointError if a value would give outputs that are not numbers."""
    size, largest = np.abs(value), _LARGEST_FACTOR if task == "classification" else _LARGEST
    wrong, expected = size > largest, f"at most {largest:g}"
    if spec.name == TEMPERATURE:
        wrong, expected = (value < 1e-6) | (value > 1e6), "1e-06 to 1e+06"
    elif spec.name == WEIGHT_DECAY:
        wrong, expected = (value < 0) | (value > 1e6), "0 to 1e+06"
    elif spec.role == STATISTIC:
        wrong |= (size > 0) & (size < _SMALLEST)
        expected = f"0, or {_SMALLEST:g} to {largest:g} without its sign"
    if wrong.any():
        raise CheckpointError(
            f"{name}: {spec.name} has the value {value[wrong][0]:g}, expected {expected}: it is "
            "damaged. Use another copy, or train again."
        )


def _check_mask(checkpoint: Checkpoint, name: str) -> None:
    """Raise CheckpointError if a class mask gives no probabilities.

    A class without training samples is inactive after a training.
    """
    mask = checkpoint.variables[MASK]
    named = np.array([label is not None for label in checkpoint.classes])
    wrong = (mask != 0) & ((mask != 1) | ~named)
    if wrong.any():
        index = int(wrong.argmax())
        expected = "0 or 1" if named[index] else "0: the index is free"
        problem = f"has the value {mask[index]:g} at {index}, expected {expected}"
    elif named.any() and not mask.any():
        problem = "is 0 for all classes, expected 1 for at least one"
    else:
        return
    raise CheckpointError(
        f"{name}: {MASK} {problem}. It is damaged. Use another copy, or train again."
    )


def _is_taken_over(spec: VariableSpec, checkpoint: Checkpoint, same_optimizer: bool) -> bool:
    """Whether a variable gets its value from the checkpoint, not its initial value."""
    if spec.role == RANDOM_STATE and spec.name not in checkpoint.variables:
        return False  # the head had no dropout when the checkpoint was saved
    return same_optimizer or spec.role != OPTIMIZER_STATE


def _adapt_variable(
    spec: VariableSpec, checkpoint: Checkpoint, initial: np.ndarray, name: str
) -> np.ndarray:
    """Return a tensor of the checkpoint, truncated or extended along its class axis."""
    axis, capacity = spec.class_axis, len(checkpoint.classes)
    shape = tuple(capacity if i == axis else size for i, size in enumerate(spec.shape))
    value = checkpoint.variables.get(spec.name)
    if value is None or value.shape != shape:
        actual = "no such tensor" if value is None else f"{list(value.shape)}"
        raise CheckpointError(
            f"{name}: expected {spec.name} as {list(shape)}, got {actual}: it is damaged"
        )
    if axis is None or capacity == spec.shape[axis]:
        return value
    common = min(capacity, spec.shape[axis])
    rest = initial.take(range(common, spec.shape[axis]), axis)
    return np.concatenate([value.take(range(common), axis), rest], axis)
