"""The samples of one training, and the weights that it starts from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from ...errors import DataError
from ..confidence.folds import assign_folds
from ..confidence.out_of_distribution import OODDetector
from ..samples import SampleCollection
from ..state import ModelState
from ..store import SampleSet
from .config import TrainingConfig

__all__ = ["TrainingData"]


@dataclass(frozen=True)
class TrainingData:
    """The samples of one training, and the weights that it starts from.

    Attributes:
        samples: training samples.
        held_out: samples for early stopping; None disables it.
        class_indices: class name → class index, of all classes.
        variables: variable name → array: the weights in use.
        detector: out-of-distribution detector in use, or None.
        warm: whether training continues from `variables`. Otherwise it starts from scratch.
    """

    samples: SampleSet
    held_out: SampleSet | None
    class_indices: Mapping[str, int]
    variables: Mapping[str, np.ndarray]
    detector: OODDetector | None
    warm: bool

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
                    samples, held_out = _split(samples, config.seed)
            counts, class_indices = collection.counts(), state.class_indices
            without_samples = [name for name in class_indices if not counts.get(name)]
            variables, detector = state.begin_training()
            warm = not all(state.is_untrained(name) for name in without_samples)
        return cls(samples, held_out, class_indices, variables, detector, config.warm_start or warm)

    def part(self, rows: np.ndarray) -> TrainingData:
        """Return the data with some of the samples, and without early stopping.

        Args:
            rows: indices, or bool [N].
        """
        return replace(self, samples=self.samples.take(rows), held_out=None)


def _split(samples: SampleSet, seed: int) -> tuple[SampleSet, SampleSet]:
    """Split a third of each class off, for early stopping."""
    class_indices = np.nan_to_num(samples.targets).argmax(1)
    held_out = assign_folds(class_indices, samples.samples, seed=seed) == 0
    if not held_out.any():
        raise DataError(
            "patience needs held-out samples: add a second sample of a class, or samples with "
            "held_out=True"
        )
    return samples.take(~held_out), samples.take(held_out)
