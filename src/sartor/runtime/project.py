"""The files of a user: checkpoints, and projects of a model, its state and its samples."""

from __future__ import annotations

import contextlib
import errno
import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from .._arguments import as_path
from .._files import FilePath, sync
from .._outputs import CHECKPOINT as CHECKPOINT_FILE
from .._outputs import PROJECT, check_output
from .._temporary import temporary_folder
from ..errors import DataError, SartorError
from ..litert import read_personalizable
from .samples import SampleCollection
from .saved.adapt import adapt
from .saved.archive import CHECKPOINT, MODEL, SAMPLES, extract, pack, unpacked
from .saved.checkpoint import Checkpoint, read_checkpoint, write_checkpoint
from .state import ModelState
from .store import SampleStore

__all__ = ["export_project", "import_project", "save_checkpoint", "unpack_project"]


def save_checkpoint(
    path: FilePath, model: Path, state: ModelState, samples: SampleCollection, force: bool
) -> Path:
    """Write a checkpoint; see `PersonalModel.save`."""
    inputs = model, samples.store.path
    target = check_output(path, CHECKPOINT_FILE, inputs=inputs, force=force)
    with samples.lock:
        samples.follow_store()
        checkpoint = state.checkpoint()
    return write_checkpoint(target, checkpoint)


def export_project(
    path: FilePath, model: Path, state: ModelState, samples: SampleCollection, force: bool
) -> Path:
    """Write a project; see `PersonalModel.export_project`."""
    store = samples.store.path
    target = check_output(path, PROJECT, inputs=(model, store), force=force)
    beside = store if store is not None and os.access(store.absolute().parent, os.W_OK) else target
    with temporary_folder(beside) as folder:
        with samples.lock:
            (folder / MODEL).write_bytes(state.engine.content)
            write_checkpoint(folder / CHECKPOINT, state.checkpoint())
            samples.store.copy_to(folder / SAMPLES)
        return pack(folder, target)


def import_project(path: Path, state: ModelState, samples: SampleCollection) -> tuple[str, ...]:
    """Replace the state and the samples by those of a project, after it was checked.

    No training may run; see `PersonalModel.import_project`.
    """
    with unpacked(path, beside=samples.store.path) as folder:
        checkpoint = _check(folder, path)
        before, history = state.checkpoint(), state.history
        notes = state.load(checkpoint, str(path))
        removed = {key for key in before.class_keys if key} - {*checkpoint.class_keys}
        try:
            with _named(folder, path):
                samples.store.restore(folder / SAMPLES, removed)
        except BaseException:
            state.load(before, "the former state")
            state.history = history
            raise
        samples.imprint_stored_classes()
    return notes


def unpack_project(path: FilePath, folder: FilePath) -> Path:
    """Check a project, unpack it into a new folder, and return the folder.

    The folder appears with all files or not at all; only the user can read it (mode 0700).

    Raises:
        DataError: If the file is not a project, or is damaged.
        InvalidModelError, NotPersonalizableError, CheckpointError, StoreError: If a part is
            damaged, or does not fit the others.
        OSError: If the file does not exist, the folder exists already, or the disk is full.
    """
    target, source = as_path(folder, "folder"), as_path(path, "path")
    if os.path.lexists(target):
        raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(target))
    with temporary_folder(target) as temporary:
        extract(source, temporary)
        _check(temporary, source)
        for file in temporary.iterdir():
            sync(file)
        sync(temporary)
        os.rename(temporary, target)
    sync(target.absolute().parent)
    return target


def _check(folder: Path, path: Path) -> Checkpoint:
    """Check all parts of an unpacked project, and return its checkpoint."""
    with _named(folder, path):
        manifest = read_personalizable(folder / MODEL).manifest
        checkpoint = read_checkpoint(folder / CHECKPOINT)
        initial = {spec.name: np.zeros(spec.shape, np.float32) for spec in manifest.variables}
        classes = adapt(checkpoint, manifest, initial, str(folder / CHECKPOINT)).classes
        with SampleStore(folder / SAMPLES, manifest, create=False) as store:
            store.check()
            new = store.counts().keys() - {*classes}
        if len(new) > classes.count(None):
            raise DataError(
                f"{folder / SAMPLES} has {len(new)} classes that its checkpoint lacks, more than "
                f"the capacity of the model. Export the project again."
            )
    return checkpoint


@contextlib.contextmanager
def _named(folder: Path, path: Path) -> Iterator[None]:
    """Name a part of a project in error messages by the path of the project."""
    try:
        yield
    except SartorError as error:
        raise type(error)(str(error).replace(f"{folder}{os.sep}", f"{path}: ")) from error
