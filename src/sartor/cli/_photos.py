"""The photos of a folder or CSV, each with its identity."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..contract.names import TENSOR
from ..errors import DataError
from ._progress import progress
from .report import note, shorten

if TYPE_CHECKING:
    import numpy as np

    from ..contract.manifest import Manifest
    from ..modalities import FileLabel, LabelledFile, Listing

__all__ = ["Photos", "SkipUnreadable"]

SkipUnreadable = Annotated[
    bool, typer.Option("--skip-unreadable", help="Skip photos that cannot be read.")
]


class Photos:
    """The photos of a folder or CSV, read one at a time.

    Copies of a photo count once. Photos with several labels, and files that are no photos, are
    skipped; a note names them.

    Args:
        source: folder with one subfolder per class, or CSV of files and labels.
        manifest: manifest of the model.
        skip_unreadable: whether to skip photos that cannot be read.

    Attributes:
        source: folder or CSV.
        files: identity in hexadecimal → file.
        identities: identities of all files, also of those with several labels.
        skipped: photos that cannot be read or have several labels.
        is_complete: whether no photo was skipped because it cannot be read.

    Raises:
        DataError, OSError: If the source or a photo cannot be read, or a class has no photo.
    """

    def __init__(self, source: Path, manifest: Manifest, *, skip_unreadable: bool) -> None:
        self.source = source
        self.skipped: list[Path] = []
        self.is_complete = True
        self._manifest = manifest
        self._skip = skip_unreadable
        listing = _list_files(source, manifest)
        samples = [file for file in listing.files if self._is_sample(file)]
        others = {file.path for file in listing.files} - {file.path for file in samples}
        _note_skipped([*listing.skipped, *sorted(others)], "no photo in the folder of a class")
        self._labels = {file.label for file in samples if isinstance(file.label, str)}
        self.files = self._identify(samples)
        self.check_classes()

    def _is_sample(self, file: LabelledFile) -> bool:
        """Return whether a file may be a photo: by its name, otherwise by its content."""
        from ..modalities import is_sample_file, prepare

        if file.values is not None or is_sample_file(self._manifest.inputs, file.path):
            return True
        try:
            prepare(self._manifest.inputs, file.path)
        except (DataError, OSError):
            return False
        return True

    def _identify(self, files: Sequence[LabelledFile]) -> dict[str, LabelledFile]:
        """Return identity → file."""
        from ..modalities import load

        groups: dict[str, list[LabelledFile]] = defaultdict(list)
        with progress("reading photos") as show:
            for number, file in enumerate(files, 1):
                try:
                    groups[load(self._manifest.inputs, file.sample).identity.hex()].append(file)
                except (DataError, OSError) as error:
                    self.skip(file.path, error)
                show(number, len(files), "")
        self.identities = groups.keys()
        single, several, copies = {}, [], []
        for identity, (first, *others) in groups.items():
            if any(other.label != first.label for other in others):
                several += [first.path, *(other.path for other in others)]
            else:
                single[identity] = first
                copies += [other.path for other in others]
        self.skipped += several
        _note_skipped(several, "the same photo with several labels")
        _note_skipped(copies, "copies of other photos")
        return single

    def keep_validation(self) -> None:
        """Keep the validation photos only, if the folder has any."""
        if any(file.held_out for file in self.files.values()):
            self.files = {key: file for key, file in self.files.items() if file.held_out}
            self._labels = {str(file.label) for file in self.files.values()}

    def rename(self, names: Mapping[str, str]) -> None:
        """Replace labels by other names, and note these.

        Args:
            names: label → name.
        """
        for label in sorted(self._labels & names.keys()):
            note(f"the photos of {label!r} count for the class {names[label]!r}, its name now")
        self._labels = {names.get(label, label) for label in self._labels}
        self.files = {
            key: replace(file, label=_renamed(file.label, names))
            for key, file in self.files.items()
        }

    def check_classes(self) -> None:
        """Raise DataError unless every class has a photo that is not skipped."""
        skipped = set(self.skipped)
        usable = {str(file.label) for file in self.files.values() if file.path not in skipped}
        missing = sorted(self._labels - usable)
        if missing:
            raise DataError(
                f"no photo of the class {missing[0]!r} can be used: replace its photos, or remove "
                "the class"
            )

    def skip(self, path: Path, error: Exception) -> None:
        """Skip an unreadable photo; raise the error if that is not allowed."""
        if not self._skip:
            raise error
        self.is_complete = False
        self.skipped.append(path)

    def note_skipped(self, start: int = 0) -> None:
        """Print a note on the skipped photos, from the position `start`."""
        _note_skipped(self.skipped[start:], "not a readable photo")

    def samples(self) -> Iterator[tuple[dict[str, np.ndarray], FileLabel]]:
        """Yield the inputs and the label of each photo; note skipped photos."""
        from ..modalities import prepare

        before = len(self.skipped)
        with progress("reading photos") as show:
            for number, file in enumerate(self.files.values(), 1):
                try:
                    inputs = prepare(self._manifest.inputs, file.sample)
                except (DataError, OSError) as error:
                    self.skip(file.path, error)
                    continue
                yield inputs, file.label
                show(number, len(self.files), "")
        self.check_classes()
        self.note_skipped(before)


def _renamed(label: FileLabel, names: Mapping[str, str]) -> FileLabel:
    if isinstance(label, str):
        return names.get(label, label)
    if isinstance(label, Mapping):
        return {names.get(name, name): value for name, value in label.items()}
    return tuple(names.get(name, name) for name in label)


def _note_skipped(paths: Sequence[Path], reason: str) -> None:
    if paths:
        note(f"skipped {len(paths)} ({reason}): {shorten(paths)}")


def _list_files(source: Path, manifest: Manifest) -> Listing:
    """List the files of a folder or CSV.

    Raises:
        DataError: If they have no labels for the task.
    """
    from ..modalities import Listing, has_files, read_folder, read_labelled_windows, read_labels

    task, spec = manifest.task, manifest.inputs[0]
    if source.is_file():
        is_tensor = len(manifest.inputs) == 1 and spec.modality == TENSOR
        if is_tensor and not has_files(source):
            return read_labelled_windows(source, spec, task)
        return read_labels(source, task)
    listing = read_folder(source)
    if task == "regression":
        raise DataError(
            f"{source} is a folder, and the model predicts numbers: pass a CSV with the first line "
            "file,NAME,… and a line for each file"
        )
    if task == "classification":
        return listing
    files = (replace(file, label=(str(file.label),)) for file in listing.files)
    return Listing(tuple(files), listing.skipped)
