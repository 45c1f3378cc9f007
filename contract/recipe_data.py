"""Random samples for the vectors of the recipe, on a grid that float16 represents exactly."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

__all__ = ["blobs", "grid", "image", "one_hot", "probabilities", "several_labels"]


def grid(values: np.ndarray) -> list[Any]:
    """Return values as multiples of 1/32."""
    rounded: list[Any] = (np.round(values * 32) / 32).tolist()
    return rounded


def one_hot(classes: Sequence[int] | np.ndarray, count: int | None = None) -> list[list[int]]:
    """Return the targets of a classification."""
    count = count or int(max(classes)) + 1
    return [[int(c == each) for each in range(count)] for c in classes]


def blobs(
    counts: Sequence[int],
    size: int,
    *,
    seed: int,
    noise: float = 1.0,
    frames: int = 1,
    augmentations: int = 0,
) -> dict[str, Any]:
    """Return samples of some classes in random order; class i is the i-th to appear.

    Args:
        counts: number of samples, or of bursts, of each class.
        size: number of features.
        seed: seed of the draw.
        noise: standard deviation of the samples of a class.
        frames: number of samples of a burst.
        augmentations: number of augmentations of each sample.
    """
    rng = np.random.default_rng(seed)
    centers = rng.normal(size=(len(counts), size)) + 0.5
    drawn = rng.permutation(np.repeat(np.arange(len(counts)), counts)).tolist()
    order = list(dict.fromkeys(drawn))
    features, classes, samples = list[np.ndarray](), list[int](), list[int]()
    for label in map(order.index, drawn):
        scene = centers[label] + noise * rng.normal(size=size)
        for _ in range(frames):
            first = scene + (0.1 * rng.normal(size=size) if frames > 1 else 0)
            samples += [max(samples, default=-1) + 1] * (1 + augmentations)
            features += [first + 0.5 * i * rng.normal(size=size) for i in range(1 + augmentations)]
            classes += [label] * (1 + augmentations)
    return {"samples": samples, "features": grid(np.asarray(features)), "targets": one_hot(classes)}


def several_labels(count: int, size: int, *, seed: int) -> dict[str, Any]:
    """Return samples with three labels each, of which some are missing."""
    rng = np.random.default_rng(seed)
    directions = 1.5 * rng.normal(size=(3, size))
    applies = rng.random((count, 3)) < 0.5
    features = applies @ directions + rng.normal(size=(count, size))
    missing = rng.random((count, 3)) < 0.15
    missing[missing.all(axis=1)] = False
    targets = [
        [None if m else int(a) for a, m in zip(row, gaps, strict=True)]
        for row, gaps in zip(applies, missing, strict=True)
    ]
    return {"samples": list(range(count)), "features": grid(features), "targets": targets}


def probabilities(count: int, classes: int, *, seed: int, spread: float = 1.5) -> list[list[float]]:
    """Return random outputs of a softmax, with four digits."""
    rng = np.random.default_rng(seed)
    powers = np.exp(spread * rng.normal(size=(count, classes)))
    rounded: list[list[float]] = np.round(powers / powers.sum(axis=1, keepdims=True), 4).tolist()
    return rounded


def image(height: int, width: int, channels: int, *, seed: int) -> dict[str, Any]:
    """Return a random image with smooth parts."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:height, :width]
    waves = np.sin(x[..., None] * rng.uniform(0.2, 1.2, channels) + y[..., None] * 0.7)
    values = 128 + 90 * waves + rng.normal(0, 25, (height, width, channels))
    data = np.clip(np.round(values), 0, 255).astype(int).reshape(-1).tolist()
    return {"shape": [height, width, channels], "data": data}
