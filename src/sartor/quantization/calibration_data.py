"""Representative samples: what a quantized model is calibrated and judged on."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TypeAlias

import numpy as np

from ..contract.manifest import InputSpec
from ..errors import DataError
from ..modalities import Sample, prepare
from ..modalities.image import image_pixels, is_image

__all__ = ["Representative", "Sampled", "read_samples"]

Representative: TypeAlias = (
    "str | os.PathLike[str] | np.ndarray | Iterable[Sample | tuple[Sample, str]]"
)
"""What shows the values that a model will see: a folder of pictures, which may lie in a folder for
each class; an array [N, …] of samples; or samples one after another, as `PersonalModel` takes them,
or pairs of one and the name of its class."""

_MOST = 500


@dataclass(frozen=True)
class Sampled:
    """Samples, small enough to be kept.

    Attributes:
        samples: pictures as uint8 pixels of the base's size, all else as it was given.
        labels: the class of each, or None where that is not known.
    """

    samples: list[Sample]
    labels: list[str] | None = None

    def inputs(self, specs: Sequence[InputSpec]) -> Iterator[dict[str, np.ndarray]]:
        """Name → array, for each sample, as `specs` say."""
        return (prepare(specs, sample) for sample in self.samples)

    def some(self, most: int) -> Sampled:
        """At most so many, from all over, in a random order that is always the same."""
        chosen = np.random.default_rng(0).permutation(len(self.samples))[:most]
        return Sampled([self.samples[index] for index in chosen])


def read_samples(specs: Sequence[InputSpec], given: Representative) -> Sampled:
    """Take at most 500 samples, from all over a folder or an array, or the first of others.

    Args:
        specs: the inputs of the base.
        given: see `Representative`. Pictures that are no longer pixels, but floats as the base
            takes them, are brought back to pixels.

    Raises:
        DataError: there are none, or one is not what the base takes.
        OSError: a folder or file is not there, or may not be read.
    """
    pairs = list(_pairs(given))
    if not pairs:
        raise DataError("there are no representative samples: give some dozens")
    labels = [label for _, label in pairs if label is not None]
    if labels and len(labels) != len(pairs):
        raise DataError(
            "some representative samples have a class and others none: give all or none"
        )
    return Sampled([_kept(specs, sample) for sample, _ in pairs], labels or None)


def _pairs(given: Representative) -> Iterator[tuple[Sample, str | None]]:
    if isinstance(given, str | os.PathLike):
        yield from _in_folder(Path(given))
    elif isinstance(given, np.ndarray):
        for index in _spread(len(given) if given.ndim else 0, _MOST):
            yield given[index], None
    else:
        for item in islice(given, _MOST):
            yield item if isinstance(item, tuple) else (item, None)


def _in_folder(folder: Path) -> Iterator[tuple[Sample, str | None]]:
    """The pictures, with their classes where each lies in the folder of one."""
    files = sorted(
        path
        for path in folder.rglob("*")
        if path.is_file() and not any(p.startswith(".") for p in path.relative_to(folder).parts)
    )
    if not files and not folder.is_dir():
        raise NotADirectoryError(20, "No such folder of samples", str(folder))
    classes = all(path.parent.parent == folder for path in files)
    for index in _spread(len(files), _MOST):
        yield files[index], files[index].parent.name if classes else None


def _kept(specs: Sequence[InputSpec], sample: Sample) -> Sample:
    """The sample in a form that is small, and fits a base with uint8 inputs as well."""
    if len(specs) > 1:
        if not isinstance(sample, Mapping) or sample.keys() != {spec.name for spec in specs}:
            prepare(specs, sample)  # says what is wrong
            raise DataError("a sample of a base with several inputs is a mapping: name → array")
        return {spec.name: _kept_one(spec, sample[spec.name]) for spec in specs}
    return _kept_one(specs[0], sample)


def _kept_one(spec: InputSpec, value: object) -> np.ndarray:
    if isinstance(value, np.ndarray) and value.shape == spec.shape[1:] and value.ndim:
        value = value[np.newaxis] if value.dtype != np.uint8 or spec.kind != "image" else value
    if spec.kind == "image":
        size, channels = (spec.shape[1], spec.shape[2]), spec.shape[3]
        if is_image(value) or (isinstance(value, np.ndarray) and value.dtype == np.uint8):
            picture = value[0] if isinstance(value, np.ndarray) and value.ndim == 4 else value
            return image_pixels(picture, size, channels)  # type: ignore[arg-type]
    (array,) = prepare([spec], value).values()  # type: ignore[arg-type]
    if spec.kind != "image":
        return array
    reals = array[0] * np.array(spec.std, np.float32) + np.array(spec.mean, np.float32)
    pixels: np.ndarray = np.clip(np.rint(reals), 0, 255).astype(np.uint8)
    return pixels


def _spread(count: int, most: int) -> Sequence[int]:
    """Indices from all over `count`, at most so many."""
    return range(count) if count <= most else [i * count // most for i in range(most)]
