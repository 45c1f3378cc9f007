"""Expected accuracy of trainings on bursts: several frames of each photo."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import cast

import numpy as np
import PIL.Image
import PIL.ImageOps

from sartor.runtime.confidence.groups import group_near_duplicates

from .datasets import Dataset, dataset, draw, plain_file
from .harness import Report, main
from .samples import FeatureModel, Samples, embed

_DATASET = "clothing, starter"
_SHOTS, _FRAMES, _DRAWS = (3, 5), 8, 6
_LARGEST = 448  # pixels of the longer side


def run() -> Report:
    with tempfile.TemporaryDirectory() as folder:
        data = dataset(_DATASET)
        rows = [
            _row(data, Path(folder), motion, shots)
            for motion in ("jitter", "pan")
            for shots in _SHOTS
        ]
    return Report(
        "Bursts: expected and real accuracy of ten classes, in percent",
        ["motion", "photos per class", "groups per photo", "real accuracy", "expected − real"],
        rows,
        notes=[
            f"Clothing, starter base; means over {_DRAWS} draws of the photos; the difference ± "
            f"its standard error. Each photo becomes {_FRAMES} frames, with noise of 4 levels: "
            "jitter, a crop of 94 % at places up to 6 % of the size apart, with light of 93 to "
            "107 %; pan, a crop of 90 % that moves by 2.5 % of the size from "
            "frame to frame (standard deviation), with light that changes by 2 %.",
            "With one group per photo, cross-validation holds out whole bursts. If frames of a "
            "burst are in several groups, the expected accuracy is too high.",
        ],
    )


def _row(data: Dataset, folder: Path, motion: str, shots: int) -> list[str]:
    plain, file = plain_file(data.base, str(folder)), data.convert(folder)
    test = list(data.normalized().test.pairs())
    groups, real, gaps = [], [], []
    for seed in range(_DRAWS):
        rows = draw(data.train, shots, seed)
        samples = _burst_samples(data, plain, rows, motion, np.random.default_rng(seed))
        groups.append(_count_groups(samples) / len(rows))
        with FeatureModel(file) as model:
            model.add_samples(samples)
            expected = model.fit().expected_accuracy
            real.append(100 * model.evaluate(test).accuracy)
        gaps.append(np.nan if expected is None else 100 * expected - real[-1])
    error = np.nanstd(gaps, ddof=1) / np.sqrt(_DRAWS)
    return [
        motion, str(shots), f"{np.mean(groups):.2f}", f"{np.mean(real):.1f}",
        f"{np.nanmean(gaps):+.1f} ± {error:.1f}",
    ]  # fmt: skip


def _burst_samples(
    data: Dataset, plain: Path, rows: np.ndarray, motion: str, random: np.random.Generator
) -> Samples:
    frames = [
        (frame, data.train.labels[row])
        for row in rows
        for frame in _frames(cast("Path", data.inputs[row]), motion, random)
    ]
    return embed(plain, frames).normalized()


def _frames(path: Path, motion: str, random: np.random.Generator) -> Iterator[PIL.Image.Image]:
    with PIL.Image.open(path) as photo:
        image = PIL.ImageOps.exif_transpose(photo).convert("RGB")
    image.thumbnail((_LARGEST, _LARGEST))
    size, place, light = 0.9 if motion == "pan" else 0.94, np.full(2, 0.05), 1.0
    for _ in range(_FRAMES):
        if motion == "jitter":
            place, light = random.uniform(0, 1 - size, 2), random.uniform(0.93, 1.07)
        else:
            place = np.clip(place + random.normal(0, 0.025, 2), 0, 1 - size)
            light = float(np.clip(light + random.normal(0, 0.02), 0.85, 1.15))
        corners = np.concatenate([place, place + size]) * np.tile(image.size, 2)
        levels = np.asarray(image.crop(tuple(corners.astype(int))), np.float32) * light
        noisy = np.clip(levels + random.normal(0, 4, levels.shape), 0, 255)
        yield PIL.Image.fromarray(noisy.astype(np.uint8))


def _count_groups(samples: Samples) -> int:
    classes = np.unique(samples.labels, return_inverse=True)[1]
    groups = group_near_duplicates([samples.features], classes, np.arange(len(classes)))
    return len(np.unique(groups))


if __name__ == "__main__":
    main(run)
