"""Photos of a folder as samples of a model, with a progress bar."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ._progress import progress
from .report import note

if TYPE_CHECKING:
    import numpy as np

    from ..runtime import PersonalModel

__all__ = ["Photos", "SkipUnreadable"]

SkipUnreadable = Annotated[
    bool, typer.Option("--skip-unreadable", help="Leave out files that are no photos.")
]


class Photos:
    """What is in a folder, opened one photo at a time.

    Attributes:
        files: pairs of a file and its class.
        skipped: those that could not be read.
    """

    def __init__(self, folder: Path, *, skip_unreadable: bool) -> None:
        from ..preprocess import read_folder

        self.files = read_folder(folder, skip=skip_unreadable)
        self.skipped: list[Path] = []
        self._skip = skip_unreadable

    @property
    def labels(self) -> list[str]:
        """The classes."""
        return list(dict.fromkeys(label for _, label in self.files))

    def samples(self, model: PersonalModel) -> Iterator[tuple[dict[str, np.ndarray], str]]:
        """Pairs of a sample that the model takes and its class; says what was left out."""
        from ..preprocess import prepared

        skipped = self.skipped if self._skip else None
        with progress("reading ") as show:
            for done, sample in enumerate(
                prepared(model.manifest.inputs, self.files, skipped=skipped), 1
            ):
                yield sample
                show(done, len(self.files) - len(self.skipped), "")
        for path in self.skipped:
            note(f"{path} cannot be read and was left out")
