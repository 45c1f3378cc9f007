"""Reembedding: compute the features of stored photos again, for another base."""

from __future__ import annotations

import os

import numpy as np

from .._arguments import as_path
from ..modalities import load_stored
from .state import ModelState
from .store import reembed_samples

__all__ = ["reembed"]


def reembed(model: str | os.PathLike[str], store: str | os.PathLike[str]) -> None:
    """Compute the features of all stored samples again, for a model of another base.

    Augmentations are dropped.

    Args:
        model: path of a personalizable file.
        store: path of a sample store with the photos of all samples; see the option `photos` of
            `PersonalModel`.

    Raises:
        InvalidModelError, NotPersonalizableError: See `PersonalModel`.
        StoreError: If the store is damaged, or a photo is not stored; nothing is changed.
        DataError: If a photo does not fit the model; nothing is changed.
        OSError: If the store does not exist or cannot be written; nothing is changed.
    """
    path = as_path(model, "model")
    state = ModelState(path)
    manifest = state.manifest

    def embed(photo: bytes) -> list[list[np.ndarray]]:
        return [state.features(load_stored(manifest.inputs, photo).inputs())]

    try:
        reembed_samples(as_path(store, "store"), manifest, embed)
    finally:
        state.close()
