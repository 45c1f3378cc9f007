"""The clothing photos, and samples as features."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

import sartor
from sartor import PersonalModel
from sartor.litert import Engine
from sartor.modalities import Sample, prepare
from sartor.ops import power_normalize_rows
from sartor.runtime import Evaluation
from sartor.runtime.data.tasks import TASKS, Label
from sartor.runtime.results.evaluation import Evaluator

from .harness import shared

__all__ = ["FeatureModel", "Samples", "clothing_photos", "convert_base", "embed"]


@dataclass(frozen=True)
class Samples:
    """Samples as features.

    Attributes:
        features: float32 [N, F].
        labels: str [N]; class names.
    """

    features: np.ndarray
    labels: np.ndarray

    def pairs(self) -> Iterator[tuple[np.ndarray, str]]:
        """Yield the pairs (features [1, F], label) for `FeatureModel`."""
        for row, label in zip(self.features, self.labels, strict=True):
            yield row[np.newaxis], str(label)

    def normalized(self) -> Samples:
        """Return the samples with power-normalized features, as `infer` returns them."""
        return Samples(power_normalize_rows(self.features).astype(np.float32), self.labels)

    def take(self, rows: np.ndarray) -> Samples:
        """Return some samples, by indices or by a mask."""
        return Samples(self.features[rows], self.labels[rows])


class FeatureModel(PersonalModel):
    """A PersonalModel that takes samples as features, each [1, F].

    The file, signatures, store and training are those of PersonalModel.
    """

    def __enter__(self) -> FeatureModel:
        return self

    def add_samples(self, samples: Samples) -> None:
        """Add a set of samples."""
        for row, label in samples.pairs():
            self.add_sample(row, label)

    def add_sample(self, image: Sample, label: Label) -> int:  # type: ignore[override]
        """Add a sample, without the search for an equal one."""
        return self.add_rows([np.asarray(image, np.float32)], label)

    def add_rows(self, rows: Sequence[np.ndarray], label: Label) -> int:
        """Add a sample with augmentations, each [1, F]."""
        targets = TASKS[self.manifest.task].targets(label, self.classes)
        return self._samples.add_features([[row] for row in rows], targets)

    def evaluate(self, samples: Iterable[tuple[Sample, Label]] | None = None) -> Evaluation:
        """Measure on features and labels, or on the stored samples."""
        if samples is None:
            return super().evaluate()
        evaluator = Evaluator(self._state.engine, self.manifest, self._state.class_indices)
        for image, label in samples:
            targets = TASKS[self.manifest.task].targets(label, self.classes)
            evaluator.add([np.asarray(image, np.float32)], targets)
        return evaluator.result()


def convert_base(base: str, folder: Path, *, classes: int, batch: int = 32) -> Path:
    """Convert one of the shared bases; return the path of the file."""
    model = sartor.convert(shared("models", base), classes=classes, batch_size=batch)
    return model.save(folder / f"{classes}-{base}")


def clothing_photos(split: str) -> list[tuple[Path, str]]:
    """Return each photo of `train` or `validation` with its class."""
    folder = shared("data", "clothing", split)
    return [(path, path.parent.name) for path in sorted(folder.glob("*/*.jpg"))]


def embed(file: Path, photos: Sequence[tuple[Sample, str]]) -> Samples:
    """Compute the features of images with the `infer` of a converted file."""
    with PersonalModel(file) as model:
        engine = Engine(file, model.manifest)
        rows = [
            engine.run("infer", prepare(model.manifest.inputs, image))["features"]
            for image, _ in photos
        ]
    return Samples(np.concatenate(rows), np.array([label for _, label in photos]))
