"""Accuracy with the mean of the features of a photo and of its mirror image."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import cast

import numpy as np
import PIL.Image
import PIL.ImageOps

from sartor.modalities import Sample

from .datasets import Dataset, dataset, draw, plain_file
from .harness import Report, main
from .options import accuracy_of, difference
from .samples import Samples, embed

_DATASETS = (
    "clothing, starter", "clothing, MobileNetV2", "clothing of 32 x 32 pixels, starter of 96",
)  # fmt: skip
_SHOTS = (1, 5, 20, 50)
_DRAWS = 20


def run() -> Report:
    return Report(
        "Mean of the features of a photo and of its mirror image: accuracy, in percent",
        ["samples and base", "per class", "the photo", "mean of both − it"],
        [row for name in _DATASETS for row in _rows(dataset(name))],
        notes=[
            f"Means over {_DRAWS} draws of the training samples; paired differences in points ± "
            "their standard errors. The data sets are those of the table of accuracy. Photos of "
            "the training and of the test are averaged. The base would run twice for each photo "
            "that is added or predicted.",
        ],
    )


def _rows(data: Dataset) -> Iterator[list[str]]:
    with tempfile.TemporaryDirectory() as folder:
        plain, averaged = data.normalized(), _with_mirror_images(data, folder).normalized()
        file = data.convert(Path(folder))
        for shots in _SHOTS:
            draws = [draw(data.train, shots, seed) for seed in range(_DRAWS)]
            scores, others = (
                100 * np.array([accuracy_of(each, file, rows) for rows in draws])
                for each in (plain, averaged)
            )
            yield [data.name, str(shots), f"{scores.mean():.1f}", difference(others - scores)]


def _with_mirror_images(data: Dataset, folder: str) -> Dataset:
    file = plain_file(data.base, folder)
    return replace(
        data,
        train=_averaged(file, data.train, data.inputs),
        test=_averaged(file, data.test, data.test_inputs),
    )


def _averaged(file: Path, samples: Samples, images: Sequence[Sample]) -> Samples:
    pairs = [(_mirrored(image), label) for image, label in zip(images, samples.labels, strict=True)]
    return replace(samples, features=(samples.features + embed(file, pairs).features) / 2)


def _mirrored(image: Sample) -> PIL.Image.Image:
    if isinstance(image, PIL.Image.Image):
        return PIL.ImageOps.mirror(image)
    with PIL.Image.open(cast("Path", image)) as photo:
        upright = PIL.ImageOps.exif_transpose(photo)
        return PIL.ImageOps.mirror(upright.convert("RGB"))


if __name__ == "__main__":
    main(run)
