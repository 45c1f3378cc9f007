"""Changes of whole stores: samples from another store, features for another base."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Iterable
from pathlib import Path

from ...contract.manifest import Manifest
from ...contract.sample_store import STORE_PHOTO
from ...errors import StoreError
from .codec import FeatureCodec, FeatureRows
from .database import Database
from .integrity import check_samples
from .reading import read_image, read_samples
from .writing import copy_all, delete_samples, replace_features, write_removed

__all__ = ["reembed_samples", "replace_samples"]


def replace_samples(
    database: Database, path: Path, base: str, codec: FeatureCodec, removed: Iterable[str]
) -> None:
    """Replace all samples by those of another store, and overwrite the bytes of the old ones.

    Args:
        database: database whose samples are replaced.
        path: path of the other store.
        base: fingerprint of the base of both.
        codec: codec of the features.
        removed: keys of the classes that are removed.

    Raises:
        StoreError: If the other store is damaged, or of another base; nothing is changed.
        OSError: If it does not exist, or the disk is full; nothing is changed.
    """
    if not path.exists():
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(path))
    other = Database(path, base, task=database.task, create=False)
    try:
        check_samples(other, codec)
        with database.writing():
            delete_samples(
                database, [number for (number,) in database.rows("SELECT id FROM sample")]
            )
            write_removed(database, removed)
            copy_all(other, database)
            database.erase_after()
    finally:
        other.close()


def reembed_samples(path: Path, manifest: Manifest, embed: Callable[[bytes], FeatureRows]) -> None:
    """Compute the features of all samples again from their photos, for a model of another base.

    Args:
        path: path of the store; no other program may write to it.
        manifest: manifest of the new model.
        embed: function photo → features, as `SampleStore.add` takes them.

    Raises:
        StoreError: If the photo of a sample is not stored, or the store is damaged; nothing is
            changed.
        DataError: If the features do not fit the new model; nothing is changed.
        OSError: If the store cannot be written, or the disk is full; nothing is changed.
    """
    codec = FeatureCodec(manifest.features)
    database = Database(path, None)
    try:
        with database.writing():
            for sample in read_samples(database):
                photo = read_image(database, sample.id, STORE_PHOTO)
                if photo is None:
                    raise StoreError(
                        f"{path}: the photo of sample {sample.id} is not stored, so its features "
                        "cannot be computed again. Forget the samples without photos, or use a "
                        "new store."
                    )
                rows = embed(photo)
                encoding, features = codec.encode(rows)
                replace_features(database, sample.id, encoding, features, len(rows))
            database.set_base(manifest.fingerprints.base)
    finally:
        database.close()
