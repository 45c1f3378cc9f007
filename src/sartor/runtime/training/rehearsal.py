"""Prototypes in place of the samples of classes that have weights but no samples.

A training on some of the classes would move the others out of the way. The prototypes of the
out-of-distribution detector, which a checkpoint holds, stand in for their samples
(pseudo-rehearsal, Robins 1995). Measured on the clothing photos with two MobileNets, after 30
photos per class and 20 more of one to three old or new classes: the accuracy on all ten classes is
8 to 17 points higher.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from dataclasses import replace

import numpy as np

from ..confidence.out_of_distribution import OODDetector
from ..data.dataset import Dataset
from ..data.tasks import TASKS

__all__ = ["add_prototypes"]


def add_prototypes(dataset: Dataset, detector: OODDetector, classes: Collection[int]) -> Dataset:
    """Return a data set with the prototypes of some classes added as samples.

    They get the mean length of the features of the samples.

    Args:
        dataset: samples of a classification.
        detector: detector with the prototypes.
        classes: class indices.
    """
    rows = np.isin(detector.class_indices, list(classes))
    class_indices = detector.class_indices[rows]
    targets = np.zeros((len(class_indices), dataset.targets.shape[1]), np.float32)
    targets[np.arange(len(targets)), class_indices] = 1
    first = int(dataset.sample_ids.max()) + 1
    fraction = np.append(dataset.sample_fraction, np.ones(len(targets)))
    targets = np.concatenate([dataset.targets, targets])
    return replace(
        dataset,
        features=_append(dataset.features, detector.prototypes[rows]),
        targets=targets,
        weights=TASKS["classification"].weights(targets, fraction),
        sample_ids=np.append(dataset.sample_ids, first + np.arange(len(class_indices))),
        sample_fraction=fraction,
    )


def _append(features: Sequence[np.ndarray], prototypes: np.ndarray) -> list[np.ndarray]:
    """Append prototypes [R, F] to each features tensor [N, …], with the mean length of the rows."""
    squares = sum(np.square(each.reshape(len(each), -1)).sum(1) for each in features)
    lengths = np.linalg.norm(prototypes, axis=1, keepdims=True)
    scaled = prototypes / np.maximum(lengths, 1e-12) * np.sqrt(squares).mean()
    ends = np.cumsum([math.prod(each.shape[1:]) for each in features])
    parts = np.split(scaled.astype(np.float32), ends[:-1], axis=1)
    return [
        np.concatenate([each, part.reshape(-1, *each.shape[1:])])
        for each, part in zip(features, parts, strict=True)
    ]
