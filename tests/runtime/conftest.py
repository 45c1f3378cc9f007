"""A model and its checkpoint."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from blobs import add_samples

from sartor import PersonalModel

Convert = Callable[..., Path]


@pytest.fixture
def model_path(tiny: Convert) -> Path:
    return tiny()


@pytest.fixture
def checkpoint(model_path: Path, tmp_path: Path) -> Path:
    with PersonalModel(model_path) as model:
        add_samples(model).fit(epochs=20)
        return model.save(tmp_path / "mine.safetensors")
