"""A model with samples: it keeps them, makes classes of them, and forgets them."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import numpy as np

from ..errors import DataError
from ..modalities import Sample, prepare, views
from .data.tasks import Label
from .predictor import FilePath, Predictor
from .results.records import Evaluation
from .store import SampleSet, SampleStore, StoredSample
from .store.photos import photo_of
from .store.sources import source_of
from .store.thumbnails import thumbnail

__all__ = ["Collector"]


class Collector(Predictor):
    """A `Predictor` that keeps samples; it learns nothing from them but new classes.

    Args:
        path, store, threads, thumbnails, photos, max_samples, max_bytes: see `PersonalModel`.
    """

    def __init__(
        self,
        path: FilePath,
        *,
        store: FilePath | None = None,
        threads: int | None = None,
        thumbnails: bool = False,
        photos: bool = False,
        max_samples: int | None = None,
        max_bytes: int | None = None,
    ) -> None:
        super().__init__(path, threads=threads)
        self._thumbnails, self._photos = thumbnails, photos
        self._store = SampleStore(
            None if store is None else Path(store),
            self.manifest,
            max_samples=max_samples,
            max_bytes=max_bytes,
        )
        try:
            self.check_room(self._store.counts())
            self._make_classes(self._store.counts())
        except BaseException:
            self.close()
            raise

    @property
    def samples(self) -> tuple[StoredSample, ...]:
        """The samples that `fit` learns from, in the order in which they came."""
        return self._store.samples()

    def check_room(self, labels: Iterable[str]) -> None:
        """Raise DataError unless there is room for all these classes, new and known ones."""
        new = [label for label in dict.fromkeys(labels) if label not in self.classes]
        if len(new) > self._knowledge.room:
            raise DataError(
                f"there is no room for {', '.join(map(repr, new))}: the model has room for "
                f"{self.capacity} classes, and {len(self.classes) + len(new)} are asked for. "
                "Convert the base again with a larger --capacity; a checkpoint that you have, or "
                "save now, loads into it"
            )

    def add_sample(
        self,
        image: Sample,
        label: Label,
        *,
        source: str | None = None,
        held_out: bool = False,
        augment: int = 0,
    ) -> int:
        """Add a sample to learn from; its features are kept, and not itself.

        The first sample of a new class makes the class, which is usable at once. A sample that is
        there already, with the same label, is not added again.

        Args:
            image: see `predict`.
            label: the name of its class. Where the model knows several labels a sample: the names
                of all that apply, or a mapping from names to whether they apply, where what is not
                named is left open. Where it learns numbers: name → number.
            source: what the app knows it by, as an asset's id, to notice that it is the same one;
                else what it holds counts.
            held_out: measure with it, and never learn from it.
            augment: learn from so many more views of it too: flipped, cropped, in other light, as
                its source decides.

        Returns:
            The sample's number, for `forget`.

        Raises:
            DataError: the image or the label is not what the model takes, there is no room for
                another class, or the sample is there with another label; nothing is changed.
            OSError: the file is not there, or the store cannot be written.
        """
        targets = self._task.targets(label, self.classes)
        self.check_room(targets)
        key = self._source(image, source)
        present = self._store.find(key)
        if present is not None:
            return _same(present, targets)
        specs = self.manifest.inputs
        seed = int.from_bytes(key[:4], "little")
        shown = views(specs, image, augment, seed) if augment else [prepare(specs, image)]
        features = [self._knowledge.features(inputs) for inputs in shown]
        picture = thumbnail(self.manifest.inputs, shown[0]) if self._thumbnails else None
        photo = photo_of(image, shown[0]) if self._photos else None
        with self._changing:
            with self._store.transaction():
                present = self._store.find(key)  # another thread or process may have been faster
                if present is not None:
                    return _same(present, targets)
                self.check_room(targets)
                number = self._store.add(
                    features, targets, source=key, held_out=held_out, thumbnail=picture, photo=photo
                )
            self._make_classes(targets)
            self._seen += 1
        return number

    def find(self, image: Sample, *, source: str | None = None) -> StoredSample | None:
        """The sample that was added of this image, or under this source; None if there is none."""
        return self._store.find(self._source(image, source))

    def forget(self, *samples: int) -> None:
        """Forget samples for real: nothing of them stays in the store.

        Trained weights bear them until the next `fit`, which gives what it would have given without
        them; classes that no training has seen are made again of the other samples, and a class
        that has no other is removed. A training that runs is stopped.

        Args:
            samples: their numbers, as `add_sample` gave them and `samples` lists them.

        Raises:
            DataError: there is no such sample; none is forgotten.
            OSError: the store cannot be written.
        """
        with self._alone():
            before = self._store.counts()
            self._store.forget(samples)
            left = self._store.counts()
            for label, count in before.items():
                if count and not left.get(label) and label in self.classes:
                    self._knowledge.remove(label)
            found = self._store.select(held_out=False)
            fresh = [label for label in self._knowledge.fresh if label in found.classes]
            self._knowledge.forget_samples({each: self._shown(found, each) for each in fresh})

    def remove_class(self, label: str) -> None:
        """Forget a class and its samples for real; its slot is free. See `forget`."""
        with self._alone():
            self.check_known([label])
            if label in self._store.counts():
                self._store.forget_class(label)
            self._knowledge.remove(label)

    def rename_class(self, label: str, name: str) -> None:
        """Give a class another name; what is known of it stays.

        Raises:
            DataError: there is no such class, or one has that name already.
        """
        with self._changing:
            self.check_known([label])
            self._task.targets({name: 0.0} if self.manifest.weights_per_output else name, ())
            if name in self.classes:
                raise DataError(f"there is a class {name!r} already: choose another name")
            if label in self._store.counts():
                self._store.rename(label, name)
            self._knowledge.rename(label, name)

    def evaluate(self, samples: Iterable[tuple[Sample, Label]] | None = None) -> Evaluation:
        """Measure how good the model is.

        Args:
            samples: see `Predictor.evaluate`. None measures on the samples that are held out, or
                where there are none on those that it learns from.

        Raises:
            DataError, OSError: see `Predictor.evaluate`.
        """
        if samples is not None:
            return super().evaluate(samples)
        with self._changing:
            found = self._select(held_out=True)
            if not len(found.samples):
                found = self._select(held_out=None)
            evaluator = self._evaluator(self._knowledge.slots)
        for row in np.unique(found.samples, return_index=True)[1]:  # of its views the plain one
            targets = zip(found.classes, found.targets[row].tolist(), strict=True)
            evaluator.add(
                [each[row : row + 1] for each in found.features],
                {name: value for name, value in targets if not math.isnan(value)},
            )
        return evaluator.result()

    def load(self, path: FilePath) -> tuple[str, ...]:
        """Take over what a checkpoint has learned, in place of what the model knows.

        It may come from a model with other room for classes, or another optimizer. The samples
        stay; a training that runs is stopped.

        Returns:
            What could not be taken over, in words; mostly nothing.

        Raises:
            CheckpointError: it is damaged, or belongs to another model; nothing is changed.
            OSError: it is not there.
        """
        with self._alone():
            notes = super().load(path)
            self._make_stored_classes()
        return notes

    def close(self) -> None:
        """Give memory and files back; a second call does nothing."""
        with self._alone():
            super().close()
            self._store.close()

    @contextlib.contextmanager
    def _alone(self) -> Iterator[None]:
        """No other thread changes the model until the block ends."""
        with self._changing:
            yield

    def _source(self, image: Sample, name: str | None) -> bytes:
        """What tells that an image is the same one."""
        if name is None and not any(spec.modality == "image" for spec in self.manifest.inputs):
            return source_of(prepare(self.manifest.inputs, image))
        return source_of(image, name)

    def _select(self, *, held_out: bool | None) -> SampleSet:
        """Samples of the store; the model knows all their classes, also those of other processes.

        Raises:
            DataError: there is no room for one.
        """
        while True:
            found = self._store.select(held_out=held_out)
            self._make_classes(found.classes)
            if set(found.classes) <= set(self.classes):  # else another process has forgotten one
                return found

    def _make_classes(self, labels: Iterable[str]) -> None:
        """Make those classes of their samples that are not made yet."""
        new = [label for label in labels if not self._knowledge.has_made(label)]
        if not new:
            return
        one = new[0] if len(new) == 1 else None
        found = self._store.select(label=one, held_out=False)
        there = [label for label in new if label in found.classes]  # another process may forget
        self._knowledge.make({label: self._shown(found, label) for label in there})

    def _shown(self, found: SampleSet, label: str) -> list[np.ndarray]:
        """The features of those samples that show a class, see `SampleStore.counts`."""
        targets = found.targets[:, found.classes.index(label)]
        is_number = self.manifest.task == "regression"
        return found.take(~np.isnan(targets) if is_number else targets > 0).features

    def _make_stored_classes(self) -> None:
        """Make the classes that a checkpoint does not know, as far as there is room."""
        stored = self._store.counts()
        known = [label for label in stored if label in self.classes]
        new = [label for label in stored if label not in self.classes]
        self._make_classes([*known, *new[: self._knowledge.room]])


def _same(present: StoredSample, targets: Mapping[str, float]) -> int:
    """The number of a sample that is added again."""
    if dict(present.targets) != dict(targets):
        known = ", ".join(f"{name} {value:g}" for name, value in present.targets.items())
        raise DataError(
            f"the sample is there already, as number {present.id}, with another label ({known}): "
            "forget it first"
        )
    return present.id
