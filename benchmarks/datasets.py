"""The data sets of ten classes, as features of their bases."""

from __future__ import annotations

import functools
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image

import sartor
from sartor.bases import EfficientNetLite0
from sartor.modalities import Sample

from .harness import MOBILENET, shared
from .samples import Samples, clothing_photos, embed
from .spoken_digits import KEYWORDS, spoken

__all__ = ["DATASETS", "Dataset", "dataset", "draw", "plain_file"]

_CLASSES = 10
_DIGITS_TO_TRAIN = 1000
_BILINEAR = PIL.Image.Resampling.BILINEAR
_Pairs = Sequence[tuple[Sample, str]]


@dataclass(frozen=True)
class Dataset:
    """Samples of ten classes, and the base that computes their features.

    Attributes:
        name: for the table.
        base: base for `sartor.convert`.
        train, test: samples, with the features of the base.
        inputs, test_inputs: the samples of `train` and `test` as the base takes them: images, or
            the MFCCs of recordings.
    """

    name: str
    base: Any
    train: Samples
    test: Samples
    inputs: Sequence[Sample]
    test_inputs: Sequence[Sample]

    def normalized(self) -> Dataset:
        """Return the data set with power-normalized features, for a file with the defaults."""
        return replace(self, train=self.train.normalized(), test=self.test.normalized())

    def convert(
        self, folder: Path, head: sartor.heads.Head | None = None, *, normalize: bool | None = None
    ) -> Path:
        """Convert the base; return the path of the file."""
        model = sartor.convert(self.base, classes=_CLASSES, head=head, normalize=normalize)
        name = f"{abs(hash((repr(head), normalize)))}"
        return model.save(folder / f"{self.name} {name}.tflite".replace(" ", "-"), force=True)


@functools.cache
def dataset(name: str) -> Dataset:
    """Return one of `DATASETS`; the features are computed once per process."""
    return DATASETS[name](name)


def draw(samples: Samples, shots: int, seed: int) -> np.ndarray:
    """Return the indices of `shots` samples of each class, in the order of the classes."""
    rng = np.random.default_rng([seed, shots])
    pools = [np.flatnonzero(samples.labels == label) for label in np.unique(samples.labels)]
    rows = [rng.choice(pool, min(shots, len(pool)), replace=False) for pool in pools]
    return np.concatenate(rows)


def _clothing(base: Any) -> Callable[[str], Dataset]:
    return lambda name: _embedded(
        name, base() if callable(base) else base,
        clothing_photos("train"), clothing_photos("validation"),
    )  # fmt: skip


def _small(name: str) -> Dataset:
    """Return the clothing photos, reduced to 32 x 32 pixels."""
    train, test = (
        [(_reduced(path), label) for path, label in clothing_photos(split)]
        for split in ("train", "validation")
    )
    return _embedded(name, EfficientNetLite0(input_size=96), train, test)


def _reduced(path: Path) -> PIL.Image.Image:
    with PIL.Image.open(path) as image:
        small: PIL.Image.Image = image.convert("RGB").resize((32, 32), _BILINEAR)
        return small


def _digits(name: str) -> Dataset:
    """Return the 8x8 digits of scikit-learn, as images."""
    from sklearn.datasets import load_digits

    digits = load_digits()
    order = np.random.default_rng(0).permutation(len(digits.images))
    pairs = [
        (
            PIL.Image.fromarray((digits.images[i] * 15.9).astype(np.uint8))
            .resize((64, 64), _BILINEAR)
            .convert("RGB"),
            str(digits.target[i]),
        )
        for i in order
    ]
    return _embedded(name, "starter", pairs[:_DIGITS_TO_TRAIN], pairs[_DIGITS_TO_TRAIN:])


def _spoken(name: str) -> Dataset:
    return _embedded(name, shared("models", KEYWORDS), *spoken())


def plain_file(base: Any, folder: str) -> Path:
    """Convert a base to a file whose features are those of the base."""
    model = sartor.convert(base, classes=_CLASSES, normalize=False)
    return model.save(Path(folder, "model.tflite"))


def _embedded(name: str, base: Any, train: _Pairs, test: _Pairs) -> Dataset:
    with tempfile.TemporaryDirectory() as folder:
        file = plain_file(base, folder)
        features = embed(file, train), embed(file, test)
    inputs = ([sample for sample, _ in pairs] for pairs in (train, test))
    return Dataset(name, base, *features, *inputs)


DATASETS: dict[str, Callable[[str], Dataset]] = {
    "clothing, starter": _clothing("starter"),
    "clothing, MobileNetV2": _clothing(lambda: shared("models", MOBILENET)),
    "clothing of 32 x 32 pixels, starter of 96": _small,
    "8x8 digits, starter": _digits,
    "spoken digits, DS-CNN": _spoken,
}
"""Name → function that computes the data set."""
