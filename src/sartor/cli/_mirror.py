"""Make the samples of a model follow a folder: add, change and delete what changed in it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from ..errors import DataError
from ._changes import Changes
from ._folder_state import FolderState, StoredLabel, label_names, read_states
from ._progress import progress
from .report import note

if TYPE_CHECKING:
    from ..modalities import LabelledFile
    from ..runtime import PersonalModel, StoredSample
    from ..runtime.store import SampleStore
    from ._photos import Photos

__all__ = ["Mirror"]

_ModelLabel: TypeAlias = "str | dict[str, float]"
"""A label with the present names of the classes, as `PersonalModel.add_sample` takes it."""

_MAX_MISSING = 0.5  # of the photos of a folder, before fit asks


class Mirror:
    """The samples of a model that come from one folder or CSV.

    Args:
        model: model with a sample store.
        store: the same store.
        photos: photos of the folder.
        include_forgotten: whether to add photos that were deleted from the model.

    Attributes:
        changes: changes of the folder; `apply` makes the samples follow them.
    """

    def __init__(
        self, model: PersonalModel, store: SampleStore, photos: Photos, *, include_forgotten: bool
    ) -> None:
        self._model, self._store, self._photos = model, store, photos
        self._include_forgotten = include_forgotten
        self.samples = {each.source: each for each in model.samples if each.source is not None}
        self._names = store.class_keys()
        states = read_states(store)
        self._state = _choose_state(states, photos)
        self._elsewhere = {
            identity for each in states if each.path != self._state.path for identity in each.files
        }
        labels = {name for file in photos.files.values() for name in label_names(file.label)}
        self._has_new_label = not labels <= self._state.classes.keys()
        self._all_names = dict.fromkeys(
            [*model.classes, *filter(None, map(self._class_name, sorted(labels)))]
        )
        self.changes = self._compare()

    def _compare(self) -> Changes:
        changes, photos = Changes(), self._photos
        for identity, file in photos.files.items():
            sample, label = self.samples.get(identity), self.label(file)
            if sample is None and self._is_unchanged(identity, file):
                changes.forgotten.append(file)
            elif not label:
                changes.removed.append(file)
            elif sample is None:
                changes.new[identity] = file
            elif self._is_unchanged(identity, file) or _fits(sample, file, label):
                changes.unchanged += 1
            else:
                changes.changed[identity] = file
                changes.changed_samples.append(sample)
                changes.changed_labels.append(label)
        if photos.is_complete:
            gone = self._state.files.keys() - photos.identities - self._elsewhere
            changes.missing = [each for key, each in self.samples.items() if key in gone]
        return changes

    def _is_unchanged(self, identity: str, file: LabelledFile) -> bool:
        """Return whether a file was in the folder at the last `fit`, with the same label."""
        sample = self.samples.get(identity)
        if identity in self._state.pending or (sample is None and self._include_forgotten):
            return False
        if sample is not None and file.held_out not in (None, sample.held_out):
            return False
        if self._has_new_label and not isinstance(file.label, str):
            return False  # the others of a CSV say that the new label does not apply
        return self._state.files.get(identity) == _to_json(file)

    def label(self, file: LabelledFile) -> _ModelLabel:
        """Return the label of a file for the model; empty if its classes were removed."""
        if isinstance(file.label, str):
            return self._class_name(file.label) or ""
        if isinstance(file.label, Mapping):
            values = {self._class_name(name): value for name, value in file.label.items()}
            return {name: value for name, value in values.items() if name is not None}
        applies = {self._class_name(name) for name in file.label}
        return {name: float(name in applies) for name in self._all_names}

    def _class_name(self, label: str) -> str | None:
        """Return the present name of the class of a label; None if the class was removed."""
        name = self._names.get(self._state.classes.get(label, ""))
        is_new = label not in self._state.classes or label in self._names.values()
        return name or (label if is_new or self._include_forgotten else None)

    def check(self, *, allow_missing: bool) -> None:
        """Check that the changes can be applied.

        Args:
            allow_missing: whether most files of the folder may be missing.

        Raises:
            DataError: If most files are missing, or the model has no free class for a label.
        """
        missing = len(self.changes.missing)
        before = missing + self.changes.unchanged + len(self.changes.changed)
        if missing > _MAX_MISSING * before and not allow_missing:
            raise DataError(
                f"{missing} of {before} photos that the model has learned from "
                f"{self._photos.source} are no longer there: pass --missing drop to delete their "
                "samples, or --missing keep"
            )
        deleted = {each.id for each in self._deleted()}
        remaining = {
            name for each in self._model.samples if each.id not in deleted for name in each.targets
        }
        needed = {name for file in self._added().values() for name in label_names(self.label(file))}
        lost = {name for each in self._deleted() for name in each.targets} - remaining
        if len({*self._model.classes, *needed} - (lost - needed)) > self._model.capacity:
            self._model.check_capacity(sorted(needed))

    def _added(self) -> dict[str, LabelledFile]:
        return {**self.changes.new, **self.changes.changed}

    def _deleted(self) -> list[StoredSample]:
        return [*self.changes.missing, *self.changes.changed_samples]

    def apply(self, *, augment: int, keep_missing: bool) -> Changes:
        """Make the samples follow the folder, and return what has changed.

        The store records first what is going to be added, so that the next `fit` completes a
        killed one.

        Args:
            augment: number of augmentations per photo.
            keep_missing: whether samples without a file stay.
        """
        if keep_missing:
            self.changes.missing.clear()
        added, state, photos = self._added(), self._state, self._photos
        unclear = photos.identities if photos.is_complete else state.files
        files = {
            **{key: label for key, label in state.files.items() if key in unclear},
            **{key: _to_json(file) for key, file in photos.files.items()},
        }
        missing = {
            each.source: state.files[each.source]
            for each in self.changes.missing if each.source is not None
        }  # fmt: skip
        state.files = {**missing, **files}
        state.pending = {key: self._is_held_out(key, file) for key, file in added.items()}
        state.move(self._store, str(photos.source.resolve()))
        if deleted := self._deleted():
            self._model.forget(*(each.id for each in deleted))
        self._add(added, augment)
        state.files = files
        state.settle(self._store)
        state.write(self._store)
        return self.changes

    def _is_held_out(self, identity: str, file: LabelledFile) -> bool:
        """Return whether a file is held out: by its folder, or as its sample was."""
        if file.held_out is not None:
            return file.held_out
        sample = self.samples.get(identity)
        return self._state.pending.get(identity, False) if sample is None else sample.held_out

    def _add(self, files: Mapping[str, LabelledFile], augment: int) -> None:
        start = len(self._photos.skipped)
        with progress("adding photos") as show:
            for number, (identity, file) in enumerate(files.items(), 1):
                try:
                    self._model.add_sample(
                        file.sample, self.label(file), augment=augment,
                        held_out=self._state.pending[identity],
                    )  # fmt: skip
                except (DataError, OSError) as error:
                    self._photos.skip(file.path, error)
                show(number, len(files), "")
        self._photos.check_classes()
        self._photos.note_skipped(start)


def _choose_state(states: list[FolderState], photos: Photos) -> FolderState:
    """Return the state of a folder; of a folder that was moved, its state at the old place."""
    path = str(photos.source.resolve())
    for state in states:
        if state.path == path:
            return state
    for state in states:
        common = len(state.files.keys() & photos.identities)
        if common > len(state.files) / 2 and not Path(state.path).exists():
            note(f"{photos.source} continues {state.path}, which is no longer there")
            return state
    return FolderState(path)


def _fits(sample: StoredSample, file: LabelledFile, label: _ModelLabel) -> bool:
    """Return whether a sample has the label and the part of its file."""
    if file.held_out not in (None, sample.held_out):
        return False
    targets = {label: 1.0} if isinstance(label, str) else label
    return all(sample.targets.get(name) == value for name, value in targets.items())


def _to_json(file: LabelledFile) -> StoredLabel:
    """Return the label of a file as JSON has it."""
    label = file.label
    return list(label) if isinstance(label, tuple) else label
