"""What a user has: a checkpoint, and beside it the samples that it was learned from."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from .report import fail, note

if TYPE_CHECKING:
    from ..runtime import PersonalModel

__all__ = ["at_work", "save", "store_of"]


def store_of(checkpoint: Path) -> Path:
    """The file that keeps the samples of a checkpoint."""
    return checkpoint.with_suffix(".samples")


@contextlib.contextmanager
def at_work(model: Path, checkpoint: Path, *, must_exist: bool = False) -> Iterator[PersonalModel]:
    """A model that knows what a checkpoint knows, with its samples, until the block ends.

    Args:
        model: a personalizable file.
        checkpoint: nothing is known yet where it is not there.
        must_exist: refuse that.
    """
    from ..runtime import PersonalModel

    if must_exist and not checkpoint.exists():
        fail(f"{checkpoint} is not there: `sartor fit` makes one")
    with PersonalModel(model, store=store_of(checkpoint)) as personal:
        if checkpoint.exists():
            for message in personal.load(checkpoint):
                note(message)
        yield personal


def save(model: PersonalModel, checkpoint: Path) -> None:
    """Write the checkpoint, or say that it could not be written."""
    try:
        model.save(checkpoint)
    except OSError as error:
        kept = "; what it held before is still there" if checkpoint.exists() else ""
        fail(f"{checkpoint} could not be saved: {error.strerror}{kept}")
