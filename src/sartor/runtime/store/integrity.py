"""Check a whole store: every sample can be read, and fits the model."""

from __future__ import annotations

from ...contract.sample_store import STORE_PHOTO, STORE_THUMBNAIL
from .codec import FeatureCodec
from .database import Database
from .features import read_features
from .reading import read_image, read_samples

__all__ = ["check_samples"]


def check_samples(database: Database, codec: FeatureCodec) -> None:
    """Read every sample, one at a time, with its features and images.

    Raises:
        StoreError: If one is damaged, or does not fit the model.
    """
    with database.reading():
        for sample in read_samples(database):
            read_features(database, codec, [(sample.id, sample.rows)])
            for kind in (STORE_THUMBNAIL, STORE_PHOTO):
                read_image(database, sample.id, kind)
