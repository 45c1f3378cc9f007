"""Representative samples: the data that calibrates a quantized model and measures its loss."""

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
from ..modalities import Sample, modality_of, prepare

__all__ = ["CalibrationData", "RepresentativeSamples"]

RepresentativeSamples: TypeAlias = (
    "str | os.PathLike[str] | np.ndarray | Iterable[Sample | tuple[Sample, str]]"
)
"""A folder of images (with one folder per class, or without); an array [N, …]; an iterable of
samples as `PersonalModel` takes them; or an iterable of pairs (sample, class name)."""

_MAX_SAMPLES = 500


@dataclass(frozen=True)
class CalibrationData:
    """Samples in a form that is small in memory.

    Attributes:
        samples: one per row. Images are uint8 pixels of the base's input size.
        labels: class name of each sample, or None if the samples have no classes.
    """

    samples: list[Sample]
    labels: list[str] | None = None

    @classmethod
    def read(
        cls, specs: Sequence[InputSpec], representative: RepresentativeSamples
    ) -> CalibrationData:
        """Read at most 500 samples.

        From a folder or an array they are taken at regular intervals; from an iterable, the first
        ones.

        Args:
            specs: specs of the base's inputs.
            representative: see `RepresentativeSamples`. Images that are already scaled floats are
                converted back to pixels.

        Raises:
            DataError: If there are no samples, or one does not fit the base.
            OSError: If a folder or file does not exist or cannot be read.
        """
        pairs = list(_iterate(representative))
        if not pairs:
            raise DataError("there are no representative samples: give a few dozen")
        labels = [label for _, label in pairs if label is not None]
        if labels and len(labels) != len(pairs):
            raise DataError(
                f"{len(labels)} of {len(pairs)} representative samples have a class: "
                "give all of them a class, or none"
            )
        return cls([_compact(specs, sample) for sample, _ in pairs], labels or None)

    def inputs(self, specs: Sequence[InputSpec]) -> Iterator[dict[str, np.ndarray]]:
        """Yield the input arrays of each sample: name → array."""
        return (prepare(specs, sample) for sample in self.samples)

    def subset(self, size: int) -> CalibrationData:
        """Return at most `size` samples without labels, drawn with a fixed seed."""
        indices = np.random.default_rng(0).permutation(len(self.samples))[:size]
        return CalibrationData([self.samples[index] for index in indices])


def _iterate(representative: RepresentativeSamples) -> Iterator[tuple[Sample, str | None]]:
    """Yield samples and their labels."""
    if isinstance(representative, str | os.PathLike):
        yield from _iterate_folder(Path(representative))
    elif isinstance(representative, np.ndarray):
        rows = len(representative) if representative.ndim else 0
        for index in _spread_indices(rows, _MAX_SAMPLES):
            yield representative[index], None
    else:
        for item in islice(representative, _MAX_SAMPLES):
            yield item if isinstance(item, tuple) else (item, None)


def _iterate_folder(folder: Path) -> Iterator[tuple[Sample, str | None]]:
    """Yield image files; their labels are the folders if every image is one level deep."""
    files = sorted(
        path
        for path in folder.rglob("*")
        if path.is_file()
        and not any(part.startswith(".") for part in path.relative_to(folder).parts)
    )
    if not files and not folder.is_dir():
        raise NotADirectoryError(20, "No such folder of samples", str(folder))
    has_classes = all(path.parent.parent == folder for path in files)
    for index in _spread_indices(len(files), _MAX_SAMPLES):
        yield files[index], files[index].parent.name if has_classes else None


def _spread_indices(count: int, limit: int) -> Sequence[int]:
    """Return at most `limit` indices below `count`, at regular intervals."""
    return range(count) if count <= limit else [i * count // limit for i in range(limit)]


def _compact(specs: Sequence[InputSpec], sample: Sample) -> Sample:
    """Return the sample in a small form that fits float32 and uint8 inputs."""
    if len(specs) == 1:
        return modality_of(specs[0]).compact(specs[0], sample)
    if not isinstance(sample, Mapping) or sample.keys() != {spec.name for spec in specs}:
        prepare(specs, sample)  # raises a precise error
        raise DataError("a sample of a base with several inputs is a mapping: name → array")
    return {spec.name: modality_of(spec).compact(spec, sample[spec.name]) for spec in specs}
