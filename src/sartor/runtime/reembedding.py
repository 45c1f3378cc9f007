"""Samples for another base: their features made again, from the photos that were kept."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np

from ..litert import open_model
from ..modalities import load_stored
from .state import ModelState
from .store import SampleStore

__all__ = ["reembed"]


def reembed(model: str | os.PathLike[str], store: str | os.PathLike[str]) -> None:
    """Make the features of a store's samples again, for a model of another base.

    Views that samples were augmented to are dropped.

    Args:
        model: a personalizable file.
        store: of samples whose photos were kept (`PersonalModel(…, photos=True)`).

    Raises:
        InvalidModelError, NotPersonalizableError: see `PersonalModel`.
        StoreError: it is damaged, or a photo was not kept; nothing is changed.
        DataError: a photo is not what the model takes; nothing is changed.
        OSError: the store is not there, or cannot be written; nothing is changed.
    """
    path = Path(model)
    manifest = open_model(path)
    state = ModelState(path, manifest, threads=min(2, os.cpu_count() or 1))

    def embed(photo: bytes) -> list[list[np.ndarray]]:
        return [state.features(load_stored(manifest.inputs, photo).inputs())]

    try:
        SampleStore.reembed(Path(store), manifest, embed)
    finally:
        state.engine.close()
