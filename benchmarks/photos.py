"""The clothing photos, and their features as the file itself computes them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

import sartor
from sartor import PersonalModel, SoftmaxClassifier
from sartor.litert import Engine
from sartor.modalities import Sample, prepare
from sartor.runtime.data.tasks import Label

from .harness import shared

__all__ = ["FeatureModel", "Photos", "converted", "embedded", "paths"]


@dataclass(frozen=True)
class Photos:
    """Photos as features.

    Attributes:
        features: float32 [N, F].
        labels: str [N]; the class of each.
    """

    features: np.ndarray
    labels: np.ndarray


class FeatureModel(PersonalModel):
    """A PersonalModel whose samples are given as features, each [1, F].

    All else is as in the real one: the same file, signatures, store and training.
    """

    def teach(self, photos: Photos) -> None:
        """Add samples."""
        for row, label in zip(photos.features, photos.labels, strict=True):
            self.add_sample(row[None], str(label))

    def add_sample(self, image: Sample, label: Label) -> int:  # type: ignore[override]
        """Add a sample; what is added twice counts twice."""
        targets = self._task.targets(label, self.classes)
        with self._changing:
            number = self._store.add([self._features(image)], targets)
            self._make_classes(targets)
            self._seen += 1
        return number

    def _features(self, image: Sample) -> list[np.ndarray]:
        return [np.asarray(image, np.float32)]


def converted(
    base: str, folder: Path, *, classes: int, normalize: bool = False, batch: int = 32
) -> Path:
    """Convert one of the shared bases; returns the file's path."""
    model = sartor.convert(
        shared("models", base),
        classes=classes,
        head=SoftmaxClassifier(normalize=normalize),
        batch=batch,
    )
    return model.save(folder / f"{'normalized' if normalize else 'raw'}-{classes}-{base}")


def paths(split: str) -> list[tuple[Path, str]]:
    """Every photo of `train` or `validation`, and its class."""
    folder = shared("data", "clothing", split)
    return [(path, path.parent.name) for path in sorted(folder.glob("*/*.jpg"))]


def embedded(file: Path, photos: Sequence[tuple[Path, str]]) -> Photos:
    """The features that a converted file's `infer` gives for photos."""
    with PersonalModel(file) as model:
        engine = Engine(file, model.manifest)
        rows = [
            engine.run("infer", prepare(model.manifest.inputs, path))["features"]
            for path, _ in photos
        ]
    return Photos(np.concatenate(rows), np.array([label for _, label in photos]))
