"""Photos of a folder as samples of a model, with a progress bar."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..errors import DataError
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
        from ..modalities import read_folder

        self.files = read_folder(folder, skip=skip_unreadable)
        self.skipped: list[Path] = []
        self._skip = skip_unreadable
        self._moved = 0

    @property
    def labels(self) -> list[str]:
        """The classes."""
        return list(dict.fromkeys(label for _, label in self.files))

    def add_to(self, model: PersonalModel, augment: int) -> int:
        """Let a model have all photos; those that it has already are not looked at again.

        A photo that lies in the folder of another class now changes its class.

        Returns:
            How many are new.
        """
        before, readable = len(model.samples), set()
        with progress("looking at") as show:
            for done, (path, label) in enumerate(self.files, 1):
                if self._add(model, path, label, augment):
                    readable.add(label)
                show(done, len(self.files), "")
        for label in self.labels:
            if label not in readable:
                raise DataError(f"no file of the class {label!r} can be read")
        if self._moved:
            note(f"{self._moved} photos lie in the folder of another class now, and change theirs")
        self._say_skipped()
        return len(model.samples) - before

    def _add(self, model: PersonalModel, path: Path, label: str, augment: int) -> bool:
        """Whether the photo can be read."""
        try:
            present = model.find(path)
            if present is not None and present.label != label:
                model.forget(present.id)
                self._moved += 1
            model.add_sample(path, label, augment=augment)
        except (DataError, OSError):
            if not self._skip:
                raise
            self.skipped.append(path)
            return False
        return True

    def samples(self, model: PersonalModel) -> Iterator[tuple[dict[str, np.ndarray], str]]:
        """Pairs of a sample that the model takes and its class; says what was left out."""
        from ..modalities import prepared

        skipped = self.skipped if self._skip else None
        with progress("reading ") as show:
            for done, sample in enumerate(
                prepared(model.manifest.inputs, self.files, skipped=skipped), 1
            ):
                yield sample
                show(done, len(self.files) - len(self.skipped), "")
        self._say_skipped()

    def _say_skipped(self) -> None:
        for path in self.skipped:
            note(f"{path} cannot be read and was left out")
