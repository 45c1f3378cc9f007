"""The error for a checkpoint of another model names the part that differs."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from blobs import add_samples

from sartor import PersonalModel
from sartor.errors import CheckpointError

Convert = Callable[..., Path]


def test_a_checkpoint_with_other_features_belongs_to_another_base(
    tiny: Convert, tmp_path: Path
) -> None:
    with PersonalModel(tiny()) as model:
        add_samples(model).fit(epochs=20)
        checkpoint = model.save(tmp_path / "mine.safetensors")
    with (
        PersonalModel(tiny("other", features="dense_3")) as model,
        pytest.raises(CheckpointError, match="another base"),
    ):
        model.load(checkpoint)
