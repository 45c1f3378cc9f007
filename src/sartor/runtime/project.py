"""The files of a user: checkpoints, and projects of a model, its state and its samples."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from .._files import FilePath
from .._outputs import CHECKPOINT as CHECKPOINT_FILE
from .._outputs import PROJECT, check_output
from .samples import SampleCollection
from .saved.archive import CHECKPOINT, MODEL, SAMPLES, pack, unpacked
from .saved.checkpoint import read_checkpoint, write_checkpoint
from .state import ModelState

__all__ = ["export_project", "import_project", "save_checkpoint"]


def save_checkpoint(
    path: FilePath, model: Path, state: ModelState, samples: SampleCollection, force: bool
) -> Path:
    """Write a checkpoint; see `PersonalModel.save`."""
    inputs = model, samples.store.path
    target = check_output(path, CHECKPOINT_FILE, inputs=inputs, force=force)
    with samples.lock:
        checkpoint = state.checkpoint()
    return write_checkpoint(target, checkpoint)


def export_project(
    path: FilePath, model: Path, state: ModelState, samples: SampleCollection, force: bool
) -> Path:
    """Write a project; see `PersonalModel.export_project`."""
    target = check_output(path, PROJECT, inputs=(model, samples.store.path), force=force)
    with tempfile.TemporaryDirectory(prefix="sartor-") as name:
        folder = Path(name)
        with samples.lock:
            shutil.copyfile(model, folder / MODEL)
            write_checkpoint(folder / CHECKPOINT, state.checkpoint())
            samples.store.backup(folder / SAMPLES)
        return pack(folder, target)


def import_project(path: Path, state: ModelState, samples: SampleCollection) -> tuple[str, ...]:
    """Replace the state and the samples by those of a project.

    No training may run; see `PersonalModel.import_project`.
    """
    with unpacked(path) as folder:
        before, history = state.checkpoint(), state.history
        notes = state.load(read_checkpoint(folder / CHECKPOINT), str(path))
        try:
            samples.store.restore(folder / SAMPLES)
        except BaseException:
            state.load(before, "the former state")
            state.history = history
            raise
        samples.imprint_stored_classes()
    return notes
