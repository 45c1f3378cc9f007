"""The samples that a model learns from, in one file that survives."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from types import TracebackType

import numpy as np

from ..._files import replacing
from ...contract.manifest import Manifest
from ...errors import DataError, StoreError
from .checks import check_bounds, check_label, check_picture, check_targets
from .codec import FeatureCodec
from .database import Database
from .eviction import make_room
from .reading import read_classes, read_features, read_picture, read_samples
from .records import SampleSet, StoredSample
from .writing import (
    NewSample,
    copy_all,
    delete_samples,
    delete_targets,
    insert_sample,
    rename_class,
    replace_features,
)

__all__ = ["SampleStore"]

Views = Sequence[Sequence[np.ndarray]]


class SampleStore:
    """Samples as features, with what they stand for, in an SQLite file.

    What a method has done is on the disk when it returns, and survives a killed process and a
    power cut; what failed has changed nothing. Any thread may call any method, and several
    processes may have one store open: each sees what the others did at its next call. While it is
    open there are two more files beside it, its name with `-wal` and `-shm`: to copy it, use
    `backup`. Use it in a `with` block, or close it.

    Args:
        path: the file, made if it is not there or empty; None keeps the samples in memory.
        manifest: of the model whose features these are.
        max_samples: the most samples that are kept; None for any number.
        max_bytes: the most bytes of features and pictures that are kept; None for any number.
            When the store is full, a new sample takes the place of one of the class that has
            most, held out or not: of a near-duplicate if there is one, else of any.

    Raises:
        StoreError: the file is damaged, not a store, of a newer Sartor, or of another base.
        DataError: a bound is less than 1.
        OSError: the file cannot be opened or made.
    """

    def __init__(
        self,
        path: Path | None,
        manifest: Manifest,
        *,
        max_samples: int | None = None,
        max_bytes: int | None = None,
    ) -> None:
        check_bounds(max_samples=max_samples, max_bytes=max_bytes)
        self.path = path
        self._task = manifest.task
        self._codec = FeatureCodec(manifest.features)
        self._max_samples = max_samples
        self._max_bytes = max_bytes
        self._base = manifest.fingerprints.base
        self._database = Database(path, self._base)

    def add(
        self,
        views: Views,
        targets: Mapping[str, float],
        *,
        source: bytes | None = None,
        held_out: bool = False,
        thumbnail: bytes | None = None,
        photo: bytes | None = None,
    ) -> int:
        """Keep a sample.

        Args:
            views: its features, and those of what it was augmented to: for each view a float32
                [1, …] for each features tensor.
            targets: class name → value: one class of value 1 for a classification; 0…1 for several
                labels; any number for a regression. A class that is not there is not known.
            source: a hash of what the sample was made of, for `find`.
            held_out: it is for measuring, not for training.
            thumbnail: a small picture to show, as a file's bytes.
            photo: what the features were made of, as a file's bytes: `reembed` needs it.

        Returns:
            Its id, higher than that of every sample before it.

        Raises:
            DataError: it is not what the model takes, or larger than the store may be.
            OSError: the disk is full, or the store is read-only; nothing is changed.
            StoreError: another program does not let go of the store, or it is damaged.
        """
        encoding, features = self._codec.encode(views)
        pictures = {"thumbnail": thumbnail, "photo": photo}
        new = NewSample(
            encoding=encoding,
            features=features,
            views=len(views),
            targets=check_targets(self._task, targets),
            source=source,
            held_out=held_out,
            pictures={
                kind: check_picture(kind, data)
                for kind, data in pictures.items()
                if data is not None
            },
        )
        if self._max_bytes is not None and new.bytes > self._max_bytes:
            raise DataError(
                f"the sample takes {new.bytes:,} bytes, and the store may have {self._max_bytes:,}:"
                " allow more with max_bytes, or keep no photo"
            )
        with self._database.writing():
            number = insert_sample(self._database, new)
            make_room(
                self._database,
                self._codec,
                number,
                self._max_samples,
                self._max_bytes,
                by_class=self._task != "regression",
            )
        return number

    def transaction(self) -> AbstractContextManager[None]:
        """Let a `with` block be written as one: whole or not at all, and with one flush.

        Other threads and processes wait to write until it ends, so keep it short.
        """
        return self._database.writing()

    def find(self, source: bytes) -> StoredSample | None:
        """The first sample made of what has this hash; None when there is none."""
        with self._database.reading():
            query = "SELECT min(id) FROM sample WHERE source = ?"
            ((number,),) = self._database.rows(query, source)
            if number is None:
                return None
            (found,) = read_samples(self._database, number)
            return found

    def samples(self) -> tuple[StoredSample, ...]:
        """Every sample, in the order in which they came."""
        with self._database.reading():
            return tuple(read_samples(self._database))

    def __len__(self) -> int:
        ((count,),) = self._database.rows("SELECT count(*) FROM sample")
        return int(count)

    def counts(self) -> dict[str, int]:
        """Class name → how many samples show it, in the order in which the store met the classes.

        A target above 0 shows a class; of a regression, any target.
        """
        with self._database.reading():
            counts = dict.fromkeys(read_classes(self._database).values(), 0)
            for sample in read_samples(self._database):
                for label in sample.targets:
                    counts[label] += self.shows(sample.targets, label)
            return counts

    def count(self, label: str) -> int:
        """Return the number of samples of a class; see `shows`."""
        query = (
            "SELECT count(*) FROM target JOIN class ON class.id = target.class "
            "WHERE name = ? AND (value > 0 OR ?)"
        )
        ((count,),) = self._database.rows(query, label, self._task == "regression")
        return int(count)

    def shows(self, targets: Mapping[str, float], label: str) -> bool:
        """Return whether a sample belongs to a class: its target is above 0, or a number."""
        value = targets.get(label)
        return value is not None and (value > 0 or self._task == "regression")

    def rounded(self, views: Views) -> list[np.ndarray]:
        """Return features as the store gives them back: float32 [rows, …] for each tensor."""
        encoding, data = self._codec.encode(views)
        return self._codec.decode(encoding, [data])

    def select(self, *, held_out: bool | None = None, label: str | None = None) -> SampleSet:
        """Samples with their features, for training.

        Args:
            held_out: only those that are held out, or only those that are not; None for both.
            label: only those that show this class, see `counts`.

        Raises:
            StoreError: something is not what was written; the message names the sample.
        """
        with self._database.reading():
            classes = tuple(read_classes(self._database).values())
            chosen = [
                sample
                for sample in read_samples(self._database)
                if held_out in (None, sample.held_out)
                and (label is None or self.shows(sample.targets, label))
            ]
            views = [sample.views for sample in chosen]
            ids = [sample.id for sample in chosen]
            features = read_features(self._database, self._codec, zip(ids, views, strict=True))
        targets = np.full((len(chosen), len(classes)), np.nan, np.float32)
        columns = {name: column for column, name in enumerate(classes)}
        for row, sample in enumerate(chosen):
            for name, value in sample.targets.items():
                targets[row, columns[name]] = value
        return SampleSet(
            features=features,
            samples=np.repeat(np.array(ids, np.int64), views),
            targets=np.repeat(targets, views, axis=0),
            classes=classes,
        )

    def forget(self, ids: Iterable[int]) -> None:
        """Delete samples, and overwrite every trace of them in the file.

        Raises:
            DataError: there is no sample of such an id; nothing is changed.
            StoreError, OSError: see `forget_class`.
        """
        wanted = set(ids)
        with self._database.writing():
            unknown = wanted - {sample.id for sample in read_samples(self._database)}
            if unknown:
                raise DataError(f"the store has no sample {', '.join(map(str, sorted(unknown)))}")
            delete_samples(self._database, sorted(wanted))
            self._database.erase_after()

    def forget_class(self, label: str) -> None:
        """Delete a class, and overwrite every trace of it in the file.

        Of a classification its samples go; else what samples say of it, and the samples that say
        nothing any more.

        Raises:
            DataError: there is no such class; nothing is changed.
            StoreError: another program reads the store and does not end. Then the samples are
                gone, but their bytes are overwritten only with a later change or opening.
            OSError: likewise, where the disk is too full to write the rest anew.
        """
        with self._database.writing():
            self._check_known(label)
            delete_targets(self._database, label)
            self._database.erase_after()

    def rename(self, old: str, new: str) -> None:
        """Give a class another name; raises DataError unless the old one is there and the new not.

        The class keeps its place in the order.
        """
        check_label(new)
        with self._database.writing():
            self._check_known(old)
            if old != new and new in read_classes(self._database).values():
                raise DataError(f"there is a class {new!r} already: forget it first")
            rename_class(self._database, old, new)

    def thumbnails(self, label: str, limit: int) -> list[bytes]:
        """The thumbnails of the first samples that show a class, at most `limit` of them."""
        found: list[bytes] = []
        with self._database.reading():
            for sample in read_samples(self._database):
                if len(found) == limit:
                    break
                if self.shows(sample.targets, label):
                    picture = read_picture(self._database, sample.id, "thumbnail")
                    found += [] if picture is None else [picture]
        return found

    def photos(self) -> Iterator[tuple[int, bytes]]:
        """The photos that were kept, with the ids of their samples, one at a time."""
        for sample in self.samples():
            with self._database.reading():
                photo = read_picture(self._database, sample.id, "photo")
            if photo is not None:
                yield sample.id, photo

    @classmethod
    def reembed(cls, path: Path, manifest: Manifest, embed: Callable[[bytes], Views]) -> None:
        """Make the features of every sample anew from its photo, for a model of another base.

        Args:
            path: of the store; nobody else may be writing to it meanwhile.
            manifest: of the new model.
            embed: a photo's bytes → views, as `add` takes them.

        Raises:
            StoreError: a sample has no photo; nothing is changed. Or see `SampleStore`.
            DataError: what `embed` gives is not what the new model takes; nothing is changed.
            OSError: the file is not there, or the disk is full; nothing is changed.
        """
        codec = FeatureCodec(manifest.features)
        database = Database(path, None)
        try:
            with database.writing():
                for sample in read_samples(database):
                    photo = read_picture(database, sample.id, "photo")
                    if photo is None:
                        raise StoreError(
                            f"{path}: the photo of sample {sample.id} was not kept, so it cannot "
                            "be embedded again. Forget the samples without photos, or start anew."
                        )
                    views = embed(photo)
                    encoding, features = codec.encode(views)
                    replace_features(database, sample.id, encoding, features, len(views))
                database.set_base(manifest.fingerprints.base)
        finally:
            database.close()

    def backup(self, path: Path) -> None:
        """Write a copy of the store, one file, whole or not at all; in place of what was there.

        Raises:
            OSError: the folder is not there or not writable, or the disk is full.
        """
        with replacing(path) as temporary:
            self._database.copy_to(temporary)

    def restore(self, path: Path) -> None:
        """Take over the samples of another store, in place of those that are here.

        What is replaced is forgotten as by `forget`.

        Raises:
            StoreError: the other is damaged, or of another base; nothing is changed.
            OSError: it is not there, or the disk is full; nothing is changed.
        """
        if not path.exists():
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(path))
        other = Database(path, self._base)
        try:
            read_samples(other)  # a damaged one is noticed before anything is done
            with self._database.writing():
                delete_samples(self._database, [each.id for each in read_samples(self._database)])
                copy_all(other, self._database)
                self._database.erase_after()
        finally:
            other.close()

    def close(self) -> None:
        """Close the file; later calls are refused."""
        self._database.close()

    def __enter__(self) -> SampleStore:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _check_known(self, label: str) -> None:
        known = read_classes(self._database).values()
        if label not in known:
            raise DataError(
                f"the store has no class {label!r}; its classes: {', '.join(known) or 'none'}"
            )
