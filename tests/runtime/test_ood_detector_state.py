"""The OOD detector in checkpoints, after classes are removed, and on real photos."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from ood_samples import (
    F,
    acceptance,
    class_centers,
    draw,
    fit_detector,
    five_folds,
    probabilities,
    scores,
)

import sartor
from sartor.contract.manifest import Manifest
from sartor.errors import CheckpointError
from sartor.litert import Engine, open_model
from sartor.modalities import prepare
from sartor.runtime.confidence.out_of_distribution import OODDetector


def test_a_detector_survives_a_checkpoint() -> None:
    detector = fit_detector(10)
    arrays = detector.to_arrays()
    loaded = OODDetector.from_arrays(arrays, detector.threshold, F, 100)
    features, _ = draw(class_centers(), 2, 5)
    outputs = probabilities(features, class_centers())
    expected = pytest.approx(scores(detector, features, outputs), abs=1e-5)
    assert scores(loaded, features, outputs) == expected
    assert loaded.similarity == pytest.approx(detector.similarity)
    assert all(array.dtype == np.float32 for array in arrays.values())


def test_the_longest_prototypes_survive_a_checkpoint() -> None:
    """Samples of a class that are orthogonal to each other: the mean similarity is at its bound."""
    rows, indices = np.eye(6, F, dtype=np.float32), np.array([0, 0, 1, 1, 2, 3])
    detector = OODDetector.fit([rows], indices, np.array([0, 1, 0, 1, -1, -1]), None)
    assert detector is not None
    assert np.abs(detector.prototypes).max() > 4.4
    loaded = OODDetector.from_arrays(detector.to_arrays(), detector.threshold, F, 4)
    np.testing.assert_array_equal(loaded.prototypes, detector.prototypes)


@pytest.mark.parametrize("change", [100, -1, 0.5])
def test_a_class_index_that_does_not_exist_is_refused(change: float) -> None:
    arrays = fit_detector(10).to_arrays()
    arrays["ood/class_indices"][0] = change
    with pytest.raises(CheckpointError, match="indices of 100 classes"):
        OODDetector.from_arrays(arrays, 0.0, F, 100)


@pytest.mark.parametrize("name", ["ood/prototypes", "ood/class_indices", "ood/statistics"])
def test_a_damaged_checkpoint_is_refused(name: str) -> None:
    arrays = fit_detector(10).to_arrays()
    with pytest.raises(CheckpointError, match="damaged"):
        OODDetector.from_arrays({**arrays, name: arrays[name][:-1]}, 0.0, F, 100)
    with pytest.raises(CheckpointError, match="damaged"):
        OODDetector.from_arrays(arrays, 0.0, F + 1, 100)
    del arrays[name]
    with pytest.raises(CheckpointError, match="damaged"):
        OODDetector.from_arrays(arrays, 0.0, F, 100)


def test_a_removed_class_has_no_prototypes() -> None:
    detector = fit_detector(10).without_class(2)
    assert detector is not None
    assert 2 not in detector.class_indices
    assert len(detector.prototypes) == len(detector.class_indices)
    for index in (0, 1, 3):
        assert detector is not None
        detector = detector.without_class(index)
    assert detector is not None
    assert detector.without_class(4) is None


def embed(engine: Engine, manifest: Manifest, paths: list[Path]) -> np.ndarray:
    rows = [engine.run("infer", prepare(manifest.inputs, path))["features"] for path in paths]
    return np.concatenate(rows)


def test_photos_of_other_objects_are_rejected(
    shared_models: Path, shared_data: Path, tmp_path: Path
) -> None:
    base = shared_models / "tf2_mobilenet_v2_1.0_224_ptq.tflite"
    file = sartor.convert(base, classes=4).save(tmp_path / "m.tflite")
    manifest = open_model(file)
    engine = Engine(file, manifest)
    names = ("hat", "shoes", "dress", "pants")

    def embed_clothes(split: str, count: int) -> tuple[np.ndarray, np.ndarray]:
        folder = shared_data / "clothing" / split
        rows = [embed(engine, manifest, sorted((folder / n).iterdir())[:count]) for n in names]
        class_indices = [np.full(len(each), index) for index, each in enumerate(rows)]
        return np.concatenate(rows), np.concatenate(class_indices)

    features, class_indices = embed_clothes("train", 8)
    detector = OODDetector.fit([features], class_indices, five_folds(class_indices))
    assert detector is not None
    clothes, _ = embed_clothes("validation", 14)
    others = embed(engine, manifest, sorted((shared_data / "imagenet_samples").iterdir())[::12])
    outputs = np.zeros((max(len(clothes), len(others)), 4), np.float32)
    assert acceptance(detector, clothes, outputs[: len(clothes)]) > 0.85
    assert acceptance(detector, others, outputs[: len(others)]) < 0.15  # plain features: 0.1
