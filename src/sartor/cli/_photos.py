"""The photos of a folder as samples, with a progress bar."""

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
    bool, typer.Option("--skip-unreadable", help="Skip files that are not readable photos.")
]


class Photos:
    """The photos of a folder, opened one at a time.

    Args:
        folder: folder with one subfolder per class.
        skip_unreadable: whether to skip files that cannot be read.

    Attributes:
        files: pairs of a file and its class.
        skipped: files that could not be read.
    """

    def __init__(self, folder: Path, *, skip_unreadable: bool) -> None:
        from ..modalities import read_folder

        self.files = read_folder(folder, skip=skip_unreadable)
        self.skipped: list[Path] = []
        self._skip = skip_unreadable
        self._moved = 0

    @property
    def labels(self) -> list[str]:
        """The names of the classes."""
        return list(dict.fromkeys(label for _, label in self.files))

    def add_to(self, model: PersonalModel, augment: int) -> int:
        """Add all photos to a model; photos that it has already are not decoded again.

        A photo that is in the folder of another class now changes its class.

        Args:
            model: model with a sample store.
            augment: number of augmentations per photo.

        Returns:
            The number of new samples.
        """
        before, readable = len(model.samples), set()
        with progress("adding photos") as show:
            for number, (path, label) in enumerate(self.files, 1):
                if self._add(model, path, label, augment):
                    readable.add(label)
                show(number, len(self.files), "")
        for label in self.labels:
            if label not in readable:
                raise DataError(
                    f"no photo of the class {label!r} can be read: replace the files, or "
                    "remove the folder"
                )
        if self._moved:
            note(f"{self._moved} photos moved to the folder of another class: their class changes")
        self._report_skipped()
        return len(model.samples) - before

    def _add(self, model: PersonalModel, path: Path, label: str, augment: int) -> bool:
        """Add a photo, and return whether it can be read."""
        try:
            stored = model.find(path)
            if stored is not None and stored.label != label:
                model.forget(stored.id)
                self._moved += 1
            model.add_sample(path, label, augment=augment)
        except (DataError, OSError):
            if not self._skip:
                raise
            self.skipped.append(path)
            return False
        return True

    def samples(self, model: PersonalModel) -> Iterator[tuple[dict[str, np.ndarray], str]]:
        """Yield the inputs and the class of each photo; report skipped photos."""
        from ..modalities import load_files

        skipped = self.skipped if self._skip else None
        with progress("reading photos") as show:
            for number, sample in enumerate(
                load_files(model.manifest.inputs, self.files, skipped=skipped), 1
            ):
                yield sample
                show(number, len(self.files) - len(self.skipped), "")
        self._report_skipped()

    def _report_skipped(self) -> None:
        for path in self.skipped:
            note(f"{path} cannot be read and was skipped")
