"""Fixtures of the tests of bases: photos, a cache folder, TensorFlow and Keras."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import platformdirs
import pytest

from sartor.modalities import image_pixels


@pytest.fixture(scope="session", autouse=True)
def cache_folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Replace the user's cache folder by an empty folder."""
    folder = tmp_path_factory.mktemp("cache") / "sartor"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(platformdirs, "user_cache_path", lambda *_, **__: folder)
        yield folder


@pytest.fixture(scope="session")
def photos(shared_data: Path) -> list[Path]:
    """Return a photo for every second class of ImageNet; its name starts with the class index."""
    return sorted((shared_data / "imagenet_samples").glob("*.jpg"))


@pytest.fixture(scope="session")
def labeled_photos(photos: list[Path]) -> tuple[np.ndarray, np.ndarray]:
    """Return the pixels [100, 224, 224, 3] of every fifth photo, and their classes."""
    paths = photos[::5]
    pixels = np.stack([image_pixels(path, (224, 224)) for path in paths])
    return pixels, np.array([int(path.name[:4]) for path in paths])


@pytest.fixture
def no_tensorflow(monkeypatch: pytest.MonkeyPatch) -> None:
    """Simulate a missing TensorFlow."""
    monkeypatch.setitem(sys.modules, "tensorflow", None)


@pytest.fixture(scope="session")
def tensorflow() -> Any:
    """Return TensorFlow with a seed; skip the test if the extra is not installed."""
    module = pytest.importorskip("tensorflow", reason="the extra `tensorflow` is not installed")
    module.keras.utils.set_random_seed(1)
    return module


@pytest.fixture(scope="session")
def keras(tensorflow: Any) -> Any:
    """Return the Keras of TensorFlow."""
    return tensorflow.keras
