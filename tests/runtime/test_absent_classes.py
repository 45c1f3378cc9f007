"""Classes that have weights but no samples: a warning, and prototypes in place of samples."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from blobs import LABELS, blobs

from sartor import PersonalModel
from sartor.runtime import bake
from sartor.runtime.data.dataset import Dataset
from sartor.runtime.training import training_model
from sartor.runtime.training.rehearsal import add_prototypes

Convert = Callable[..., Path]
SPREAD = 2.0


def only(label: str, count: int, *, seed: int = 1) -> list[tuple[np.ndarray, str]]:
    return [each for each in blobs(count, seed=seed, spread=SPREAD) if each[1] == label]


@pytest.fixture
def trained(tiny: Convert, tmp_path: Path) -> tuple[Path, Path]:
    """Return a model file, and a checkpoint of three classes."""
    path = tiny()
    with PersonalModel(path) as model:
        for sample, label in blobs(20, spread=SPREAD):
            model.add_sample(sample, label)
        model.fit()
        return path, model.save(tmp_path / "mine.safetensors")


def accuracy_of_others(model: PersonalModel) -> float:
    tests = [each for label in LABELS[1:] for each in only(label, 200, seed=7)]
    return model.evaluate(tests).accuracy


def test_a_warning_names_the_classes_without_samples(trained: tuple[Path, Path]) -> None:
    path, checkpoint = trained
    with PersonalModel(path) as model:
        model.load(checkpoint)
        for sample, label in only("hat", 5):
            model.add_sample(sample, label)
        history = model.fit(3)
        assert history.samples == 5
        assert history.expected_accuracy is None
        assert len(history.warnings) == 1
        assert "no samples of 'shoes', 'dress'" in history.warnings[0]


def test_a_baked_file_warns_too(trained: tuple[Path, Path], tmp_path: Path) -> None:
    baked = tmp_path / "baked.tflite"
    bake(*trained, baked)
    with PersonalModel(baked) as model:
        model.add_sample(*only("hat", 1)[0])
        assert "no samples of 'shoes', 'dress'" in model.fit(3).warnings[0]


def test_prototypes_keep_most_of_the_accuracy_of_other_classes(
    trained: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    path, checkpoint = trained
    falls = []
    for prototypes in (True, False):
        if not prototypes:
            monkeypatch.setattr(training_model, "add_prototypes", lambda samples, *_: samples)
        with PersonalModel(path) as model:
            model.load(checkpoint)
            before = accuracy_of_others(model)
            for sample, label in only("hat", 20, seed=3):
                model.add_sample(sample, label)
            model.fit()
            falls.append(before - accuracy_of_others(model))
            assert model.evaluate().accuracy > 0.8
    assert falls[0] < falls[1] - 0.02
    assert falls[0] < 0.2


def test_prototypes_are_samples_of_the_mean_length() -> None:
    rng = np.random.default_rng(0)
    features = [rng.normal(size=(6, 2, 2)).astype("f"), rng.normal(size=(6, 3)).astype("f")]
    targets = np.eye(4, dtype=np.float32)[[0, 0, 0, 0, 1, 1]]
    ones = np.ones(6, np.float32)
    dataset = Dataset(features, targets, ones, np.arange(6), ones)
    directions = rng.normal(size=(3, 7)).astype(np.float32)
    detector = type("Detector", (), {})()
    detector.prototypes, detector.class_indices = directions, np.array([2, 3, 3])
    result = add_prototypes(dataset, detector, [3])
    assert [array.shape for array in result.features] == [(8, 2, 2), (8, 3)]
    rows = np.concatenate([array.reshape(8, -1) for array in result.features], 1)
    assert rows[:6] == pytest.approx(
        np.concatenate([array.reshape(6, -1) for array in features], 1)
    )
    lengths = np.linalg.norm(rows, axis=1)
    assert lengths[6:] == pytest.approx(lengths[:6].mean(), rel=1e-5)
    cosines = (rows[6:] * directions[1:]).sum(1) / np.linalg.norm(directions[1:], axis=1)
    assert cosines == pytest.approx(lengths[6:], rel=1e-5)
    assert result.targets[6:].argmax(1).tolist() == [3, 3]
    totals = [result.weights[result.targets[:, index] > 0].sum() for index in (0, 1, 3)]
    assert totals == pytest.approx([totals[0]] * 3)
    assert len(set(result.sample_ids)) == 8
