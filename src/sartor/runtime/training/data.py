"""The samples of one training, and the weights that it starts from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from ...contract.manifest import Manifest
from ...contract.names import IMAGE
from ...errors import DataError
from ..confidence.folds import assign_folds
from ..confidence.groups import group_near_duplicates, within_class_fraction
from ..confidence.out_of_distribution import OODDetector
from ..samples import SampleCollection
from ..state import ModelState
from ..store import SampleSet
from .config import TrainingConfig

__all__ = ["TrainingData", "Variables"]

Variables = Mapping[str, np.ndarray]

_UNIFORM = 0.2  # of the mean squared distance; one burst per class: 0.1, different photos: 0.8


@dataclass(frozen=True)
class TrainingData:
    """The samples of one training, and the weights that it starts from.

    Attributes:
        samples: training samples.
        held_out: samples for early stopping; None disables it.
        class_indices: class name → class index, of all classes.
        variables: variable name → array: the weights in use.
        detector: out-of-distribution detector in use, or None.
        warm: whether training continues from `variables`. Otherwise it starts from scratch, and a
            cross-validation follows.
        absent: names of the classes that have weights but no samples.
    """

    samples: SampleSet
    held_out: SampleSet | None
    class_indices: Mapping[str, int]
    variables: Variables
    detector: OODDetector | None
    warm: bool
    absent: tuple[str, ...] = ()

    @property
    def groups(self) -> np.ndarray:
        """Group of each row of `samples`, int64 [N]; see `group_near_duplicates`."""
        return _groups(self.samples, self.class_indices)

    def is_uniform(self, manifest: Manifest) -> bool:
        """Whether the photos of each class are as alike as those of one burst."""
        if manifest.task != "classification" or manifest.inputs[0].modality != IMAGE:
            return False  # classes of numbers may be well separated
        samples, indices = self.samples, _class_indices(self.samples, self.class_indices)
        fraction = within_class_fraction(samples.features, indices, samples.samples)
        return fraction < _UNIFORM

    @classmethod
    def collect(
        cls, collection: SampleCollection, state: ModelState, config: TrainingConfig
    ) -> TrainingData:
        """Read the samples from the store, and the weights from the state.

        Training continues from the weights in use if a class has weights but no samples (a
        checkpoint brought it): without its samples it cannot be trained from scratch.

        Raises:
            DataError: If there are no training samples, or none for early stopping.
        """
        with collection.lock:
            samples, held_out = collection.select(held_out=False), None
            if not len(samples):
                raise DataError(
                    "all samples are held out: add training samples with add_sample first"
                )
            if config.patience is not None:
                held_out = collection.select(held_out=True)
                if not len(held_out):
                    samples, held_out = _split(samples, state.class_indices, config.seed)
            class_indices = state.class_indices
            trained = class_indices.keys() - state.untrained()
            absent = tuple(
                name
                for name in class_indices
                if name in trained and not collection.store.count(name)
            )
            variables, detector = state.begin_training()
        warm = config.warm_start or config.only_measures or bool(absent)
        return cls(samples, held_out, class_indices, variables, detector, warm, absent)

    def part(self, rows: np.ndarray) -> TrainingData:
        """Return the data with some of the samples, and without early stopping.

        Args:
            rows: indices, or bool [N].
        """
        return replace(self, samples=self.samples.take(rows), held_out=None)


def _split(
    samples: SampleSet, class_indices: Mapping[str, int], seed: int
) -> tuple[SampleSet, SampleSet]:
    """Split a third of each class off, for early stopping."""
    indices, groups = _class_indices(samples, class_indices), _groups(samples, class_indices)
    held_out = assign_folds(indices, groups, seed=seed) == 0
    if not held_out.any():
        raise DataError(
            "patience needs held-out samples: add a second sample of a class that is not a "
            "near-duplicate of the first, or samples with held_out=True"
        )
    return samples.take(~held_out), samples.take(held_out)


def _groups(samples: SampleSet, class_indices: Mapping[str, int]) -> np.ndarray:
    indices = _class_indices(samples, class_indices)
    return group_near_duplicates(samples.features, indices, samples.samples)


def _class_indices(samples: SampleSet, class_indices: Mapping[str, int]) -> np.ndarray:
    """Return the class index of the largest target of each row; of equal ones, the lowest."""
    columns = np.asarray([class_indices[name] for name in samples.classes])
    order = columns.argsort()
    return np.asarray(columns[order][np.nan_to_num(samples.targets[:, order]).argmax(1)])
