"""Features and targets of samples, one sample at a time, for an evaluation."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TypeAlias

import numpy as np

from .._arguments import check_list
from ..contract.manifest import Manifest
from ..errors import DataError
from ..modalities import Sample, prepare
from .data.tasks import TASKS, Label
from .state import ModelState
from .store import SampleSet, StoredFeatures

__all__ = ["check_classes", "embed_samples", "stored_samples"]

_PAIRS = "pairs (image, label), such as [('hat.jpg', 'hat')]"
_Pair: TypeAlias = "tuple[Sequence[np.ndarray], Mapping[str, float]]"
"""Features [1, …] for each features tensor, and targets."""


def embed_samples(
    state: ModelState, manifest: Manifest, samples: Iterable[tuple[Sample, Label]]
) -> Iterator[_Pair]:
    """Return the features and the targets of samples, computed when they are needed.

    Args:
        state: model that computes the features; the classes are those at the time of this call.
        manifest: manifest of the model file.
        samples: pairs (image, label).
    """
    task, classes = TASKS[manifest.task], tuple(state.class_indices)

    def embed(image: Sample, label: Label) -> _Pair:
        targets = task.targets(label, classes)
        check_classes(targets, classes)
        return state.features(prepare(manifest.inputs, image)), targets

    check_list(samples, _PAIRS)
    return (embed(*_pair(each)) for each in samples)


def _pair(value: object) -> tuple[Sample, Label]:
    """Return an element of `samples` as a pair."""
    if not isinstance(value, tuple | list) or len(value) != 2:
        raise DataError(f"expected {_PAIRS}; got an element {value!r}")
    return value[0], value[1]


def stored_samples(rows: SampleSet) -> Iterator[_Pair]:
    """Yield the features and the known targets of stored samples, without augmentations.

    Samples that are deleted meanwhile are left out.
    """
    for row in np.unique(rows.samples, return_index=True)[1]:
        targets = zip(rows.classes, rows.targets[row].tolist(), strict=True)
        features, found = rows.take(np.array([row])).features, np.ones(1, bool)
        if isinstance(features, StoredFeatures):
            features, found = features.read(np.arange(1))
        if found.all():
            yield features, {name: value for name, value in targets if not math.isnan(value)}


def check_classes(labels: Iterable[str], classes: Sequence[str]) -> None:
    """Raise DataError unless `classes` contains all labels."""
    check_list(labels, "the names of classes, such as ['hat']")
    for label in labels:
        if not isinstance(label, str) or label not in classes:
            names = ", ".join(classes) or "none"
            raise DataError(f"the model has no class {label!r}; its classes: {names}")
