"""Describe the files that a user saves: checkpoints, sample stores and projects.

The functions import the runtime, because describing a model does not need it.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ..contract.manifest import Fingerprints
from .model import describe_model
from .records import ModelDescription, TensorInfo

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
    """The description of a checkpoint.

    Attributes:
        bytes: size of the file.
        kind: `checkpoint`.
        classes: class names.
        capacity: largest number of classes.
        samples_seen: number of samples added before the checkpoint was saved.
        ood_threshold: inputs with a lower OOD score are "none of these"; None without a detector.
        fingerprints: fingerprints of the model.
        tensors: tensors, by name: variables, the OOD detector and those of the app.
    """

    bytes: int
    kind: str
    classes: tuple[str, ...]
    capacity: int
    samples_seen: int
    ood_threshold: float | None
    fingerprints: Fingerprints
    tensors: tuple[TensorInfo, ...]


@dataclass(frozen=True)
class StoreDescription:
    """The description of a sample store.

    Attributes:
        bytes: size of the file.
        kind: `samples`.
        store: summary of the samples.
    """

    bytes: int
    kind: str
    store: StoreSummary


@dataclass(frozen=True)
class ProjectDescription:
    """The description of a project.

    Attributes:
        bytes: size of the file.
        kind: `project`.
        model, checkpoint, samples: descriptions of the parts.
    """

    bytes: int
    kind: str
    model: ModelDescription
    checkpoint: CheckpointDescription
    samples: StoreDescription


def describe_checkpoint(path: Path) -> CheckpointDescription:
    """Describe a checkpoint.

    Raises:
        CheckpointError: If the file is not a checkpoint, is damaged, or has a newer contract
            version.
    """
    from ..runtime import read_checkpoint

    checkpoint = read_checkpoint(path)
    return CheckpointDescription(
        bytes=path.stat().st_size,
        kind="checkpoint",
        classes=tuple(name for name in checkpoint.classes if name is not None),
        capacity=len(checkpoint.classes),
        samples_seen=checkpoint.samples_seen,
        ood_threshold=checkpoint.ood_threshold,
        fingerprints=checkpoint.fingerprints,
        tensors=tuple(
            TensorInfo(name, str(array.dtype), array.shape)
            for name, array in sorted(
                {**checkpoint.variables, **checkpoint.ood, **checkpoint.app}.items()
            )
        ),
    )


def describe_store(path: Path) -> StoreDescription:
    """Describe a sample store, without changing the file.

    Raises:
        StoreError: If the file is not a sample store, is damaged, or has another version.
    """
    from ..runtime.store.summary import summarize

    return StoreDescription(path.stat().st_size, "samples", summarize(path))


def describe_project(path: Path) -> ProjectDescription:
    """Describe a project. It is extracted to a temporary folder.

    Raises:
        DataError: If the file is not a project or is damaged.
        InvalidModelError, CheckpointError, StoreError: If a part is damaged.
    """
    from ..runtime.saved.archive import CHECKPOINT, MODEL, SAMPLES, unpacked

    with unpacked(path) as folder:
        return ProjectDescription(
            path.stat().st_size,
            "project",
            describe_model(folder / MODEL),
            describe_checkpoint(folder / CHECKPOINT),
            describe_store(folder / SAMPLES),
        )
