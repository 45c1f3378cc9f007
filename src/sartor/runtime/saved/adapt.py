"""Whether a checkpoint belongs to a model, and how its values go into that model's variables."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from ...contract.manifest import Manifest, VariableSpec
from ...contract.names import MASK
from ...errors import CheckpointError
from .checkpoint import Checkpoint

__all__ = ["Adapted", "adapt"]


@dataclass(frozen=True)
class Adapted:
    """A checkpoint as a model takes it.

    Attributes:
        state: every variable of the model, in its shape.
        classes: the name of each of the model's slots, None while it is free.
        notes: what could not be taken over, in words.
    """

    state: dict[str, np.ndarray]
    classes: tuple[str | None, ...]
    notes: tuple[str, ...]


def adapt(
    checkpoint: Checkpoint, manifest: Manifest, initial: Mapping[str, np.ndarray], name: str
) -> Adapted:
    """Fit a checkpoint to a model that may have other room or another optimizer.

    Args:
        checkpoint: as it was read.
        manifest: of the model.
        initial: the model's variables as its file brings them.
        name: what to call the checkpoint in a message.

    Raises:
        CheckpointError: it is of another base or head, has more classes than there is room for,
            or lacks a tensor or has it in another shape.
    """
    marks, own = checkpoint.fingerprints, manifest.fingerprints
    for part, theirs, ours in (("base", marks.base, own.base), ("head", marks.head, own.head)):
        if theirs != ours:
            raise CheckpointError(
                f"{name} was taken from a model with another {part} ({theirs[:8]}, this model's "
                f"is {ours[:8]}): load it into the model that it was trained with, or train again"
            )
    classes = _classes(checkpoint, manifest, name)
    keep_optimizer = marks.optimizer == own.optimizer
    state = {}
    for spec in manifest.variables:
        value = initial[spec.name]
        new = (
            spec.role == "random_state" and spec.name not in checkpoint.state
        )  # had no dropout before
        if not new and (keep_optimizer or spec.role != "optimizer_state"):
            value = _taken(spec, checkpoint, value, name)
        state[spec.name] = np.array(value, np.float32)
    _free(state, manifest, [slot for slot, each in enumerate(classes) if each is None])
    notes = () if keep_optimizer else (
        f"{name} was trained with another optimizer: what that kept of past steps is dropped",
    )  # fmt: skip
    return Adapted(state, classes, notes)


def _classes(checkpoint: Checkpoint, manifest: Manifest, name: str) -> tuple[str | None, ...]:
    """The names of the model's slots: those of the checkpoint, then those of the file."""
    capacity, theirs = manifest.capacity, checkpoint.classes
    if any(each is not None for each in theirs[capacity:]):
        used = max(slot for slot, each in enumerate(theirs) if each is not None) + 1
        raise CheckpointError(
            f"{name} uses {used} class slots, and the model has room for {capacity}: "
            f"convert the base again with --capacity {used} or more; the checkpoint stays valid"
        )
    more = [None if each in theirs else each for each in manifest.classes[len(theirs) :]]
    return (*theirs[:capacity], *more)


def _taken(
    spec: VariableSpec, checkpoint: Checkpoint, initial: np.ndarray, name: str
) -> np.ndarray:
    """A tensor of the checkpoint, cut or filled up along the axis of the classes."""
    axis, room = spec.class_axis, len(checkpoint.classes)
    shape = tuple(room if i == axis else size for i, size in enumerate(spec.shape))
    value = checkpoint.state.get(spec.name)
    if value is None or value.shape != shape:
        got = "nothing" if value is None else f"{list(value.shape)}"
        raise CheckpointError(
            f"{name}: expected {spec.name} as {list(shape)}, got {got}: it is damaged"
        )
    if axis is None or room == spec.shape[axis]:
        return value
    kept = min(room, spec.shape[axis])
    rest = initial.take(range(kept, spec.shape[axis]), axis)
    return np.concatenate([value.take(range(kept), axis), rest], axis)


def _free(state: Mapping[str, np.ndarray], manifest: Manifest, slots: list[int]) -> None:
    """A slot without a name gets no probability."""
    for spec in manifest.variables:
        if spec.name == MASK:
            state[spec.name][slots] = 0
