"""The sample store: features and labels of samples in one SQLite file."""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import AbstractContextManager
from pathlib import Path

import numpy as np

from ..._arguments import as_path, check_integer
from ...contract.manifest import Manifest
from ...contract.sample_store import STORE_PHOTO, STORE_THUMBNAIL
from ...errors import DataError
from .checks import check_images, check_label, check_targets
from .codec import FeatureCodec, FeatureRows
from .database import Database
from .eviction import Limits, evict
from .features import read_features
from .integrity import check_samples
from .reading import (
    check_class,
    read_app_data,
    read_class_keys,
    read_classes,
    read_image,
    read_sample_set,
    read_samples,
)
from .records import SampleSet, StoredSample
from .stored_features import StoredFeatures
from .transfer import replace_samples
from .writing import (
    NewSample,
    delete_samples,
    delete_targets,
    insert_sample,
    rename_class,
    write_app_data,
    write_removed,
)

__all__ = ["SampleStore"]


class SampleStore:
    """Features and labels of samples, in an SQLite file.

    A method that returns has written its changes to the disk: they survive a killed process and
    a power failure. A method that raises has changed nothing. Any thread may call any method, and
    several processes may open one store: each sees the changes of the others at its next call.
    An open store has two more files, with `-wal` and `-shm` behind its name; `copy_to` copies it.
    Use the store in a `with` block, or close it.

    Args:
        path: path of the file; a new or empty file becomes a store. None stores in memory.
        manifest: manifest of the model that computes the features.
        max_samples: largest number of samples. Default: no limit.
        max_bytes: largest size of features and images, in bytes. Default: no limit.
            A full store evicts a sample of the largest class, held out or not, for each new one:
            a near-duplicate if there is one, otherwise a random one.
        create: whether an empty or missing file becomes a store. Default: True.

    Raises:
        StoreError: If the file is damaged, not a store, of another version, or of another base.
        DataError: If a limit is less than 1.
        OSError: If the file cannot be opened or created.
    """

    def __init__(
        self, path: str | os.PathLike[str] | None, manifest: Manifest, *,
        max_samples: int | None = None, max_bytes: int | None = None, create: bool = True,
    ) -> None:  # fmt: skip
        self.path = None if path is None else as_path(path, "store")
        self._task = manifest.task
        self._codec = FeatureCodec(manifest.features)
        self._streams = manifest.layers is not None  # of which features are large
        self._limits = Limits(max_samples, max_bytes)
        self._base = manifest.fingerprints.base
        self._database = Database(self.path, self._base, task=manifest.task, create=create)

    def add(
        self, rows: FeatureRows, targets: Mapping[str, float], *, source: bytes | None = None,
        held_out: bool = False, thumbnail: bytes | None = None, photo: bytes | None = None,
        keys: Mapping[str, str] | None = None,
    ) -> int:  # fmt: skip
        """Store a sample.

        Args:
            rows: features of the sample and of its augmentations: for each a float32 [1, …] for
                each features tensor.
            targets: class name → target: one class of target 1 for classification, 0 to 1 for
                several labels, any number for regression. Other classes are unknown.
            source: hash that identifies the sample, for `find`. Default: None.
            held_out: whether the sample measures and does not train. Default: False.
            thumbnail: small image file. Default: None.
            photo: original file, for `reembed`. Default: None.
            keys: class name → key that a new class gets. Default: a random key.

        Returns:
            The ID of the sample; IDs increase.

        Raises:
            DataError: If it does not fit the model, or is larger than `max_bytes`.
            OSError: If the disk is full or the store is read-only; nothing is changed.
            StoreError: If another program locks the store, or it is damaged.
        """
        encoding, features = self._codec.encode(rows)
        new = NewSample(
            encoding=encoding,
            features=features,
            rows=len(rows),
            targets=check_targets(self._task, targets),
            source=source,
            held_out=held_out,
            images=check_images(thumbnail=thumbnail, photo=photo),
        )
        self._limits.check(new.bytes)
        by_class = self._task != "regression"
        with self._database.writing():
            number = insert_sample(self._database, new, keys or {})
            evict(self._database, self._codec, number, self._limits, by_class=by_class)
        return number

    def transaction(self) -> AbstractContextManager[None]:
        """Return a `with` block that is written completely or not at all; keep it short."""
        return self._database.writing()

    def reading(self) -> AbstractContextManager[None]:
        """Return a `with` block in which all calls read the same samples; keep it short."""
        return self._database.reading()

    def find(self, source: bytes) -> StoredSample | None:
        """Return the first sample with this source, or None."""
        with self._database.reading():
            query = "SELECT min(id) FROM sample WHERE source = ?"
            ((number,),) = self._database.rows(query, source)
            return None if number is None else read_samples(self._database, number)[0]

    def samples(self) -> tuple[StoredSample, ...]:
        """Return all samples, in the order in which they were added."""
        with self._database.reading():
            return tuple(read_samples(self._database))

    def __len__(self) -> int:
        ((count,),) = self._database.rows("SELECT count(*) FROM sample")
        return int(count)

    def counts(self) -> dict[str, int]:
        """Return class name → number of its samples, in the order of their first samples."""
        with self._database.reading():
            counts = dict.fromkeys(read_classes(self._database).values(), 0)
            for sample in read_samples(self._database):
                for label in sample.targets:
                    counts[label] += self.belongs(sample.targets, label)
            return counts

    def count(self, label: str) -> int:
        """Return the number of samples of a class."""
        query = (
            "SELECT count(*) FROM target JOIN class ON class.id = target.class "
            "WHERE name = ? AND (value > 0 OR ?)"
        )
        ((count,),) = self._database.rows(query, label, self._task == "regression")
        return int(count)

    def belongs(self, targets: Mapping[str, float], label: str) -> bool:
        """Return whether targets belong to a class: above 0, or any number for regression."""
        value = targets.get(label)
        return value is not None and (value > 0 or self._task == "regression")

    def rounded(self, rows: FeatureRows) -> list[np.ndarray]:
        """Return features with the precision of the store: float32 [rows, …] for each tensor."""
        encoding, data = self._codec.encode(rows)
        return self._codec.decode(encoding, [data])

    def select(self, *, held_out: bool | None = None, label: str | None = None) -> SampleSet:
        """Return samples with their features; raise StoreError if one is damaged.

        In a file with tuned layers, the features stay in the store until they are read.

        Args:
            held_out: True for held-out samples only, False for training samples only. Default:
                both.
            label: class name, to return the samples of this class only. Default: all.
        """
        with self._database.reading():
            samples = [
                sample
                for sample in read_samples(self._database)
                if held_out in (None, sample.held_out)
                and (label is None or self.belongs(sample.targets, label))
            ]
            rows = [(sample.id, sample.rows) for sample in samples]
            read = StoredFeatures.of_samples if self._streams else read_features
            return read_sample_set(self._database, samples, read(self._database, self._codec, rows))

    def forget(self, ids: Iterable[int]) -> None:
        """Delete samples, and overwrite their bytes in the file.

        If another program keeps reading the store, or the disk is full, the bytes are overwritten
        at a later change or opening, and a warning says so.

        Raises:
            DataError: If an ID is unknown; nothing is deleted.
            StoreError, OSError: If the store cannot be written; nothing is deleted.
        """
        chosen = set[int]()
        for number in ids:
            check_integer(number, "the number of a sample", 1)
            chosen.add(number)
        with self._database.writing():
            unknown = chosen - {sample.id for sample in read_samples(self._database)}
            if unknown:
                raise DataError(f"the store has no sample {', '.join(map(str, sorted(unknown)))}")
            delete_samples(self._database, sorted(chosen))
            self._database.erase_after()

    def forget_class(self, label: str) -> None:
        """Delete the targets of a class and the samples without other targets; see `forget`.

        Raises:
            DataError: If the class is unknown; nothing is deleted.
            StoreError, OSError: If the store cannot be written; nothing is deleted.
        """
        with self._database.writing():
            check_class(self._database, label)
            delete_targets(self._database, label)
            self._database.erase_after()

    def rename(self, old: str, new: str) -> None:
        """Rename a class; raise DataError if it is unknown or the new name is in use."""
        check_label(new)
        with self._database.writing():
            check_class(self._database, old)
            if old != new and new in read_classes(self._database).values():
                raise DataError(f"the store has a class {new!r} already: remove it first")
            rename_class(self._database, old, new)

    def thumbnails(self, label: str, limit: int) -> list[bytes]:
        """Return the first thumbnails of a class, at most `limit`."""
        with self._database.reading():
            members = (s.id for s in read_samples(self._database) if self.belongs(s.targets, label))
            images = (read_image(self._database, number, STORE_THUMBNAIL) for number in members)
            return list(itertools.islice(filter(None, images), limit))

    def photos(self) -> Iterator[tuple[int, bytes]]:
        """Yield sample ID and photo of each sample with a stored photo."""
        for sample in self.samples():
            with self._database.reading():
                if (photo := read_image(self._database, sample.id, STORE_PHOTO)) is not None:
                    yield sample.id, photo

    def app_data(self, prefix: str) -> dict[str, str]:
        """Return the texts of the app whose keys start with `prefix`: key → text."""
        return read_app_data(self._database, prefix)

    def set_app_data(self, key: str, text: str | None) -> None:
        """Store a text of the app, which stays with the samples; None deletes it."""
        with self._database.writing():
            write_app_data(self._database, key, text)

    def class_keys(self) -> dict[str, str | None]:
        """Return class key → name, or None for a removed class."""
        with self._database.reading():
            return read_class_keys(self._database)

    def keys_of(self, labels: Iterable[str]) -> dict[str, str | None]:
        """Return class key → name, of some classes."""
        query = "SELECT key FROM class WHERE name = ?"
        return {key: name for name in labels for (key,) in self._database.rows(query, name)}

    def changed_elsewhere(self) -> bool:
        """Return whether another process has changed the store since the last call."""
        return self._database.changed_elsewhere()

    def record_removed(self, keys: Iterable[str]) -> None:
        """Record that classes without samples are removed from the model."""
        with self._database.writing():
            write_removed(self._database, keys)

    def check(self) -> None:
        """Read every sample; raise StoreError if one is damaged, or does not fit the model."""
        check_samples(self._database, self._codec)

    def copy_to(self, path: Path) -> None:
        """Copy the store to a new file; raise OSError if that fails."""
        self._database.copy_to(path)

    def restore(self, path: Path, removed: Iterable[str] = ()) -> None:
        """Replace all samples by those of another store; forget the old ones.

        `removed` are the keys of classes without samples that are removed, too.

        Raises:
            StoreError: If the other store is damaged, or of another base; nothing is changed.
            OSError: If it does not exist, or the disk is full; nothing is changed.
        """
        replace_samples(self._database, path, self._base, self._codec, removed)

    def close(self) -> None:
        """Close the file; later calls raise StoreError."""
        self._database.close()

    def __enter__(self) -> SampleStore:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()
