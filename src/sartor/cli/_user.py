"""A trained model: its checkpoint, and the sample store beside it."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from ._folder_state import settle
from .report import fail, note, warnings_as_notes

if TYPE_CHECKING:
    from ..runtime import PersonalModel
    from ..runtime.store import SampleStore

__all__ = [
    "checkpoint_of",
    "find_checkpoint",
    "open_store",
    "open_trained",
    "save",
    "store_of",
]

_CHECKPOINT, _STORE = ".safetensors", ".samples"


def checkpoint_of(model: Path, checkpoint: Path | None) -> Path:
    """Return the checkpoint of the option, or the one beside the model, which may not exist."""
    return _beside(model, _CHECKPOINT) if checkpoint is None else checkpoint


def find_checkpoint(model: Path, checkpoint: Path | None) -> Path | None:
    """Return the checkpoint of the option, or the one beside the model; None if there is none."""
    if checkpoint is not None:
        return checkpoint
    default = _beside(model, _CHECKPOINT)
    if not model.is_file() or not default.is_file():
        return None
    note(f"the weights are those of {default}")
    return default


def store_of(checkpoint: Path) -> Path:
    """Return the path of the sample store of a checkpoint."""
    store = _beside(checkpoint, _STORE)
    if store == checkpoint:
        fail(f"{checkpoint} has the name of a sample store: choose a name with {_CHECKPOINT}")
    return store


def _beside(path: Path, suffix: str) -> Path:
    """Return a path with another suffix."""
    return path.parent / f"{path.stem}{suffix}"


@contextlib.contextmanager
def open_trained(
    model: Path, checkpoint: Path, *, must_exist: bool = False
) -> Iterator[PersonalModel]:
    """Open a model with its checkpoint and its samples, until the block ends.

    If the block fails before it adds a sample, a new store is deleted again.

    Args:
        model: personalizable file.
        checkpoint: checkpoint; it may not exist yet.
        must_exist: whether a missing checkpoint is an error. Default: False.
    """
    from ..runtime import PersonalModel

    if must_exist and not checkpoint.exists():
        fail(f"{checkpoint} does not exist: `sartor fit` writes one; or name one with --checkpoint")
    store = store_of(checkpoint)
    is_new, is_empty = not store.exists(), False
    try:
        with warnings_as_notes(), PersonalModel(model, store=store) as personal:
            try:
                if checkpoint.exists():
                    for message in personal.load(checkpoint):
                        note(message)
                with open_store(personal, checkpoint) as samples:
                    settle(samples)
                yield personal
            finally:
                is_empty = sys.exc_info()[0] is not None and not personal.samples
    finally:
        if is_new and is_empty:
            store.unlink(missing_ok=True)


def open_store(model: PersonalModel, checkpoint: Path) -> SampleStore:
    """Open the sample store of a model a second time, for the data of the command line in it."""
    from ..runtime.store import SampleStore

    return SampleStore(store_of(checkpoint), model.manifest)


def save(model: PersonalModel, checkpoint: Path) -> None:
    """Write the checkpoint; report an error if it cannot be written."""
    try:
        model.save(checkpoint)
    except OSError as error:
        unchanged = "; the old file is unchanged" if checkpoint.exists() else ""
        fail(f"{checkpoint} cannot be written: {error.strerror}{unchanged}")
