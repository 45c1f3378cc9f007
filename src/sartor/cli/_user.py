"""A trained model: its checkpoint, and the sample store beside it."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from .report import fail, note

if TYPE_CHECKING:
    from ..runtime import PersonalModel

__all__ = ["open_trained", "save", "store_of"]


def store_of(checkpoint: Path) -> Path:
    """Return the path of the sample store of a checkpoint."""
    return checkpoint.with_suffix(".samples")


@contextlib.contextmanager
def open_trained(
    model: Path, checkpoint: Path, *, must_exist: bool = False
) -> Iterator[PersonalModel]:
    """Open a model with its checkpoint and its samples, until the block ends.

    Args:
        model: personalizable file.
        checkpoint: checkpoint; it may not exist yet.
        must_exist: whether a missing checkpoint is an error. Default: False.
    """
    from ..runtime import PersonalModel

    if must_exist and not checkpoint.exists():
        fail(f"{checkpoint} does not exist: `sartor fit` writes one")
    with PersonalModel(model, store=store_of(checkpoint)) as personal:
        if checkpoint.exists():
            for message in personal.load(checkpoint):
                note(message)
        yield personal


def save(model: PersonalModel, checkpoint: Path) -> None:
    """Write the checkpoint; report an error if it cannot be written."""
    try:
        model.save(checkpoint)
    except OSError as error:
        unchanged = "; the old file is unchanged" if checkpoint.exists() else ""
        fail(f"{checkpoint} cannot be written: {error.strerror}{unchanged}")
