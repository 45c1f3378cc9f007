"""The samples of a model: the store, and the classes that its samples define."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from .._arguments import check_flag, check_integer, check_list
from ..contract.manifest import Manifest
from ..errors import DataError
from ..modalities import LoadedSample, Sample, identity_of_name, load
from .data.tasks import TASKS, Label
from .state import ModelState
from .store import FeatureRows, SampleSet, SampleStore, StoredSample

__all__ = ["SampleCollection"]

_THUMBNAILS = 6  # of each class, in an overview


class SampleCollection:
    """The samples of a model, kept in step with its classes.

    Each sample imprints its class until the class is trained; a class without samples is removed.

    Args:
        store: sample store.
        state: model state whose classes follow the samples.
        manifest: manifest of the model file.
        thumbnails: whether to store a thumbnail with each sample.
        photos: whether to store the photo of each sample.

    Attributes:
        lock: held while samples and classes change.
        store: sample store.

    Raises:
        DataError: If the samples have more classes than the model has capacity for.
    """

    def __init__(
        self, store: SampleStore, state: ModelState, manifest: Manifest, *, thumbnails: bool,
        photos: bool,
    ) -> None:  # fmt: skip
        self.lock = threading.RLock()
        self.store = store
        self._state = state
        self._manifest = manifest
        self._task = TASKS[manifest.task]
        self._thumbnails, self._photos = thumbnails, photos
        try:
            for name, flag in (("thumbnails", thumbnails), ("photos", photos)):
                check_flag(flag, name)
            self.follow_store()
            counts = store.counts()
            self.check_capacity(counts)
            self._imprint(counts)
        except BaseException:
            store.close()
            raise

    def __len__(self) -> int:
        return len(self.store)

    def counts(self) -> dict[str, int]:
        """Return the number of samples of each class."""
        return self.store.counts()

    def overview(self) -> tuple[dict[str, int], dict[str, list[bytes]]]:
        """Return the number of samples and the first thumbnails of each class."""
        counts = self.store.counts()
        classes = self._state.class_indices
        thumbnails = {name: self.store.thumbnails(name, _THUMBNAILS) for name in classes}
        return {name: counts.get(name, 0) for name in classes}, thumbnails

    def check_capacity(self, labels: Iterable[str]) -> None:
        """Raise DataError unless there is a class index for each of these classes."""
        check_list(labels, "the names of classes, such as ['hat']")
        classes = self._state.class_indices
        names = dict.fromkeys(each if isinstance(each, str) else repr(each) for each in labels)
        new = [label for label in names if label not in classes]
        if len(new) > self._state.free_classes:
            raise DataError(
                f"the model has no free class for {', '.join(map(repr, new))}: its capacity is "
                f"{self._manifest.capacity} classes, and {len(classes) + len(new)} are needed. "
                f"Convert the base again with --classes {len(classes) + len(new)} (in Python: "
                f"classes={len(classes) + len(new)}); a saved checkpoint loads into it"
            )

    def add(
        self, image: Sample, label: Label, source: str | None, held_out: bool, augment: int
    ) -> int:
        """Add a sample; see `PersonalModel.add_sample`."""
        check_flag(held_out, "held_out")
        check_integer(augment, "augment", 0)
        targets = self._task.targets(label, tuple(self._state.class_indices))
        self.check_capacity(targets)
        sample = load(self._manifest.inputs, image)
        key = _identity(sample, source)
        stored = self.store.find(key)
        if stored is not None:
            return _same_sample(stored, targets)
        seed = int.from_bytes(key[:4], "little")
        inputs = [sample.inputs(), *sample.augmentations(augment, seed)]
        small = sample.thumbnail() if self._thumbnails else None
        photo = sample.stored_bytes() if self._photos else None
        features = [self._state.features(each) for each in inputs]
        return self.add_features(
            features, targets, source=key, held_out=held_out, thumbnail=small, photo=photo
        )

    def add_features(
        self, features: FeatureRows, targets: Mapping[str, float], *, source: bytes | None = None,
        held_out: bool = False, thumbnail: bytes | None = None, photo: bytes | None = None,
    ) -> int:  # fmt: skip
        """Store a sample unless its source is stored, and imprint its classes.

        Args:
            features: a float32 [1, …] for each features tensor, of the sample and of each of its
                augmentations.
            targets: class name → target.
            source: hash that identifies the sample. Default: None, always a new sample.
            held_out: whether the sample is held out.
            thumbnail: image file to store.
            photo: image file to store.

        Returns:
            The number of the sample.
        """
        with self.lock:
            with self.store.transaction():
                if self.store.changed_elsewhere():
                    self.follow_store()
                # another thread or process may have added it by now
                stored = None if source is None else self.store.find(source)
                if stored is not None:
                    return _same_sample(stored, targets)
                self.check_capacity(targets)
                number = self.store.add(
                    features, targets, source=source, held_out=held_out,
                    thumbnail=thumbnail, photo=photo, keys=self._state.class_keys,
                )  # fmt: skip
            self._imprint_sample(features, targets, held_out)
            new = targets.keys() - self._state.class_keys.keys()
            if new:
                self._state.follow(self.store.keys_of(new))
            self._state.samples_seen += 1
        return number

    def find(self, image: Sample, source: str | None) -> StoredSample | None:
        """Return the stored sample of an image or of a source name, or None."""
        if source is not None:
            return self.store.find(identity_of_name(source))
        return self.store.find(load(self._manifest.inputs, image).identity)

    def follow_store(self) -> None:
        """Rename and remove the classes that were renamed and removed in the store.

        The state may be older: a checkpoint that was saved before, or that of another process.
        """
        self._state.follow(self.store.class_keys())

    def forget(self, samples: Sequence[int]) -> None:
        """Delete samples, and what was computed from them; remove classes without samples."""
        self.follow_store()
        before = self.store.counts(), len(self.store)
        try:
            self.store.forget(samples)
        finally:  # also if this thread is interrupted after the samples are deleted
            self._forget_in_state(before)

    def _forget_in_state(self, before: tuple[Mapping[str, int], int]) -> None:
        """Delete what was computed from samples that the store has no longer.

        Args:
            before: class name → number of samples, and number of samples in all.
        """
        after = self.store.counts()
        if (after, len(self.store)) == before:
            return
        for label, count in before[0].items():
            if count and not after.get(label) and label in self._state.class_indices:
                self._state.remove(label)
        with self.store.reading():
            rows = self.store.select(held_out=False)
            new = self._state.new_classes
            self._state.forget_samples({label: self._features_of(rows, label) for label in new})

    def remove_class(self, label: str) -> None:
        """Delete a class and its samples."""
        if label in self.store.counts():
            self.store.forget_class(label)
        elif label in self._state.class_keys:
            self.store.record_removed([self._state.class_keys[label]])
        self._state.remove(label)

    def rename_class(self, label: str, name: str) -> None:
        """Rename a class.

        Raises:
            DataError: If `name` is the name of another class, or not a name.
        """
        self._task.targets({name: 0.0} if self._manifest.weights_per_output else name, ())
        if name in self._state.class_indices:
            raise DataError(f"the model has a class {name!r} already: choose another name")
        if label in self.store.counts():
            self.store.rename(label, name)
        self._state.rename(label, name)

    def select(self, *, held_out: bool | None) -> SampleSet:
        """Return samples from the store; new classes of other processes are imprinted.

        Args:
            held_out: True for held-out samples, False for training samples, None for both.

        Raises:
            DataError: If the model has no free class for one.
        """
        while True:
            rows = self.store.select(held_out=held_out)
            self.follow_store()
            self._imprint(rows.classes)
            if set(rows.classes) <= set(self._state.class_indices):
                return rows  # else another process has removed a class meanwhile

    def evaluation_set(self) -> SampleSet:
        """Return the held-out samples, or all samples if none is held out."""
        rows = self.select(held_out=True)
        return rows if len(rows) else self.select(held_out=None)

    def imprint_stored_classes(self) -> None:
        """Imprint the classes that a loaded checkpoint lacks, up to the capacity."""
        self.follow_store()
        counts, classes = self.store.counts(), self._state.class_indices
        old = [label for label in counts if label in classes]
        new = [label for label in counts if label not in classes]
        self._imprint([*old, *new[: self._state.free_classes]])
        self._state.keep_loaded_weights()

    def imprint_new_classes(self) -> None:
        """Imprint the classes that no training has changed, for other weights of tuned layers."""
        new = self._state.new_classes
        if new:
            with self.lock, self.store.reading():
                rows = self.store.select(held_out=False)
                self._state.imprint({label: self._features_of(rows, label) for label in new})

    def _imprint_sample(
        self, features: FeatureRows, targets: Mapping[str, float], held_out: bool
    ) -> None:
        """Imprint the classes of a sample that was just added, from its features."""
        membership = {label: self.store.belongs(targets, label) for label in targets}
        new = [label for label in targets if self._state.needs_samples(label)]
        if any(self.store.count(label) != membership[label] for label in new):
            self._imprint(new)  # another process has samples of the class
            membership = {label: x for label, x in membership.items() if label not in new}
        rows = None
        for label, is_member in membership.items():
            if is_member and not held_out and self._state.is_new(label):
                rows = rows or self.store.rounded(features)
                self._state.add_sample(label, rows)
            else:
                self._state.add_sample(label, None)

    def _imprint(self, labels: Iterable[str]) -> None:
        """Imprint the classes that have no weights yet, from their stored samples."""
        new = [label for label in labels if self._state.needs_samples(label)]
        if not new:
            return
        with self.store.reading():
            rows = self.store.select(label=new[0] if len(new) == 1 else None, held_out=False)
            stored = [label for label in new if label in rows.classes]  # by now
            self._state.imprint({label: self._features_of(rows, label) for label in stored})

    def _features_of(self, rows: SampleSet, label: str) -> Sequence[np.ndarray]:
        """Return the features of the samples of a class; `SampleStore.counts` counts the same."""
        if label not in rows.classes:
            return rows.take(np.zeros(0, np.int64)).features
        targets = rows.targets[:, rows.classes.index(label)]
        is_number = self._manifest.task == "regression"
        return rows.take(~np.isnan(targets) if is_number else targets > 0).features


def _identity(sample: LoadedSample, name: str | None) -> bytes:
    """Return the hash of a sample, or of the name that the app gives it."""
    return sample.identity if name is None else identity_of_name(name)


def _same_sample(stored: StoredSample, targets: Mapping[str, float]) -> int:
    """Return the number of a sample that is added again with the same label."""
    if dict(stored.targets) != dict(targets):
        label = ", ".join(f"{name} {value:g}" for name, value in stored.targets.items())
        raise DataError(
            f"the sample is stored already, as number {stored.id}, with another label ({label}): "
            "forget it first"
        )
    return stored.id
