"""Files with tuned layers on a small residual base, and samples for them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from head_files import file_of, residual_base

import sartor
from sartor import PersonalModel
from sartor.heads import FineTune

__all__ = ["BATCH", "CLASSES", "SIZE", "add", "convert", "samples"]

CLASSES, BATCH, SIZE = ["a", "b", "c"], 4, (1, 6, 5, 3)


def convert(head: FineTune, folder: Path, classes: list[str] = CLASSES) -> Path:
    base = file_of(residual_base, *SIZE)
    return sartor.convert(base, classes=classes, head=head, batch_size=BATCH, normalize=False).save(
        folder / "model.tflite"
    )


def samples(count: int, seed: int) -> list[tuple[np.ndarray, str]]:
    """Return noisy images of a pattern for each class."""
    patterns = np.random.default_rng(7).normal(size=(len(CLASSES), *SIZE))
    noise = np.random.default_rng(seed).normal(size=(count, *SIZE))
    return [
        ((1.5 * patterns[i % 3] + each).astype(np.float32), CLASSES[i % 3])
        for i, each in enumerate(noise)
    ]


def add(model: PersonalModel, count: int = 24) -> None:
    for image, label in samples(count, seed=0):
        model.add_sample(image, label)
