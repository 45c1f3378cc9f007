"""What is in what a user has saved: checkpoints, sample stores and projects.

The runtime is loaded when there is one to read: describing a model does not need it.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ..contract.manifest import Fingerprints
from .model import describe_model
from .records import ModelDescription, TensorFacts

if TYPE_CHECKING:
    from ..runtime.store.summary import StoreSummary

__all__ = [
    "CheckpointDescription",
    "ProjectDescription",
    "StoreDescription",
    "describe_checkpoint",
    "describe_project",
    "describe_store",
]


@dataclass(frozen=True)
class CheckpointDescription:
    """What is in a checkpoint.

    Attributes:
        bytes: the file's size.
        kind: `checkpoint`.
        classes: their names.
        capacity: how many there can be.
        samples_seen: how many samples were added before it was taken.
        ood_threshold: of the score that tells "none of these"; None where it was never fitted.
        fingerprints: of the model that it was taken from.
        tensors: by name; those of the model's variables, what the score is made from, and the
            app's own.
    """

    bytes: int
    kind: str
    classes: tuple[str, ...]
    capacity: int
    samples_seen: int
    ood_threshold: float | None
    fingerprints: Fingerprints
    tensors: tuple[TensorFacts, ...]


@dataclass(frozen=True)
class StoreDescription:
    """What is in a sample store.

    Attributes:
        bytes: the file's size.
        kind: `samples`.
        store: what is in it.
    """

    bytes: int
    kind: str
    store: StoreSummary


@dataclass(frozen=True)
class ProjectDescription:
    """What is in a project.

    Attributes:
        bytes: the file's size.
        kind: `project`.
        model, checkpoint, samples: its parts.
    """

    bytes: int
    kind: str
    model: ModelDescription
    checkpoint: CheckpointDescription
    samples: StoreDescription


def describe_checkpoint(path: Path) -> CheckpointDescription:
    """Describe a checkpoint.

    Raises:
        CheckpointError: it is none, damaged, or of a newer contract.
    """
    from ..runtime import read_checkpoint

    found = read_checkpoint(path)
    return CheckpointDescription(
        bytes=path.stat().st_size,
        kind="checkpoint",
        classes=tuple(name for name in found.classes if name is not None),
        capacity=len(found.classes),
        samples_seen=found.samples_seen,
        ood_threshold=found.ood_threshold,
        fingerprints=found.fingerprints,
        tensors=tuple(
            TensorFacts(name, str(array.dtype), array.shape)
            for name, array in sorted({**found.state, **found.ood, **found.app}.items())
        ),
    )


def describe_store(path: Path) -> StoreDescription:
    """Describe a sample store; the file is not changed.

    Raises:
        StoreError: it is none, damaged, or of a newer Sartor.
    """
    from ..runtime.store.summary import summarize

    return StoreDescription(path.stat().st_size, "samples", summarize(path))


def describe_project(path: Path) -> ProjectDescription:
    """Describe what is in a project; it is unpacked into a temporary folder.

    Raises:
        DataError: it is none, or damaged; so may be its parts.
    """
    from ..runtime.saved.project import CHECKPOINT, MODEL, SAMPLES, unpacked

    with unpacked(path) as folder:
        return ProjectDescription(
            path.stat().st_size,
            "project",
            describe_model(folder / MODEL),
            describe_checkpoint(folder / CHECKPOINT),
            describe_store(folder / SAMPLES),
        )
