"""Export and import of projects: the model, its state and its samples in one file."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from .samples import SampleCollection
from .saved.archive import CHECKPOINT, MODEL, SAMPLES, pack, unpacked
from .saved.checkpoint import read_checkpoint, write_checkpoint
from .state import ModelState

__all__ = ["export_project", "import_project"]


def export_project(path: Path, model: Path, state: ModelState, samples: SampleCollection) -> Path:
    """Write a project; see `PersonalModel.export_project`."""
    with tempfile.TemporaryDirectory(prefix="sartor-") as name:
        folder = Path(name)
        with samples.lock:
            shutil.copyfile(model, folder / MODEL)
            write_checkpoint(folder / CHECKPOINT, state.checkpoint())
            samples.store.backup(folder / SAMPLES)
        return pack(folder, path)


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
