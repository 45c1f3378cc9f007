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
    """A cache of the tests' own, empty at first; never the user's."""
    folder = tmp_path_factory.mktemp("cache") / "sartor"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(platformdirs, "user_cache_path", lambda *_, **__: folder)
        yield folder


@pytest.fixture(scope="session")
def photos(shared_data: Path) -> list[Path]:
    """One photo for every second class of ImageNet; the name starts with the class's index."""
    return sorted((shared_data / "imagenet_samples").glob("*.jpg"))


@pytest.fixture(scope="session")
def some(photos: list[Path]) -> tuple[np.ndarray, np.ndarray]:
    """Pixels [100, 224, 224, 3] of every fifth photo, and their classes."""
    chosen = photos[::5]
    pixels = np.stack([image_pixels(path, (224, 224)) for path in chosen])
    return pixels, np.array([int(path.name[:4]) for path in chosen])


@pytest.fixture
def no_tensorflow(monkeypatch: pytest.MonkeyPatch) -> None:
    """As where the extra is not installed."""
    monkeypatch.setitem(sys.modules, "tensorflow", None)


@pytest.fixture(scope="session")
def tensorflow() -> Any:
    """TensorFlow, with a seed, where the extra is installed."""
    module = pytest.importorskip("tensorflow", reason="the extra `tensorflow` is not installed")
    module.keras.utils.set_random_seed(1)
    return module


@pytest.fixture(scope="session")
def keras(tensorflow: Any) -> Any:
    """The Keras of TensorFlow."""
    return tensorflow.keras
