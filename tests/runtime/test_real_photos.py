"""A real base is trained on a few photos of clothes."""

from __future__ import annotations

from pathlib import Path

import pytest

import sartor
from sartor import PersonalModel

CLASSES = ("hat", "shoes", "dress")


def photos(folder: Path, count: int) -> list[tuple[Path, str]]:
    return [(path, name) for name in CLASSES for path in sorted((folder / name).iterdir())[:count]]


@pytest.fixture(scope="module")
def mobilenet(shared_models: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    base = shared_models / "tf2_mobilenet_v2_1.0_224_ptq.tflite"
    return sartor.convert(base, classes=5).save(tmp_path_factory.mktemp("models") / "m.tflite")


def test_mobilenet_classifies_clothes(mobilenet: Path, shared_data: Path, tmp_path: Path) -> None:
    held_out = photos(shared_data / "clothing" / "validation", 12)
    shoe = next(path for path, name in held_out if name == "shoes")
    with PersonalModel(mobilenet) as model:
        for path, label in photos(shared_data / "clothing" / "train", 8):
            model.add_sample(path, label)
        imprinted = model.evaluate(held_out).accuracy
        history = model.fit()
        measured = model.evaluate(held_out)
        before = model.predict(shoe)
        model.save(tmp_path / "mine.safetensors")
    assert imprinted > 0.6
    assert measured.accuracy > 0.85
    assert history.epochs[-1].accuracy == 1
    assert before[0].label == "shoes"
    with PersonalModel(mobilenet) as model:
        model.load(tmp_path / "mine.safetensors")
        assert model.predict(shoe) == before
