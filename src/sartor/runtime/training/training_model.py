"""The copy of a model that training uses."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ...contract.manifest import Manifest
from ...contract.names import MASK, TEMPERATURE
from ...litert import Engine
from ..classes import ClassWeights
from ..data.batches import Batch, evaluate_batches
from ..data.dataset import Dataset, training_dataset
from ..store import SampleSet
from .data import TrainingData, Variables
from .rehearsal import add_prototypes

__all__ = ["TrainingModel"]


class TrainingModel:
    """A second copy of the model, which only training uses.

    Args:
        engine: engine that holds the copy; one thread is faster than two for steps this small.
        manifest: manifest of the file.

    Attributes:
        manifest: manifest of the file.
        engine: engine that holds the copy.
        initial: variable name → initial value in the file.
        class_weights: sets the weights of classes in `engine`.
    """

    def __init__(self, engine: Engine, manifest: Manifest) -> None:
        self.manifest = manifest
        self.engine = engine
        self.initial = self.engine.initial_variables()
        self.class_weights = ClassWeights(self.engine, manifest)
        self._batch = Batch(manifest)

    def dataset(self, data: TrainingData, samples: SampleSet) -> Dataset:
        """Return samples as a data set of the model."""
        return training_dataset(self.manifest, samples, data.class_indices)

    def training_samples(self, data: TrainingData) -> Dataset:
        """Return the training samples, and prototypes for the classes that have none."""
        samples = self.dataset(data, data.samples)
        if not data.absent or data.detector is None:
            return samples
        absent = [data.class_indices[name] for name in data.absent]
        return add_prototypes(samples, data.detector, absent)

    def evaluate(self, samples: Dataset) -> tuple[float, np.ndarray]:
        """Return the mean loss and the outputs [N, C] of samples."""
        return evaluate_batches(self.engine, self._batch, samples)

    def start(self, data: TrainingData, samples: Dataset, mixed: Dataset) -> None:
        """Set the weights that a training starts from.

        Args:
            data: the weights in use, and whether the training continues from them.
            samples: training samples.
            mixed: some of them, of all classes, at most B rows.
        """
        self.engine.restore(data.variables)
        if not data.warm:
            self._start_from_scratch(data, samples, mixed.features)

    def variables(self, data: TrainingData) -> Variables:
        """Return the present weights, with the temperature before the training."""
        return {**self.engine.variables(), TEMPERATURE: data.variables[TEMPERATURE]}

    def close(self) -> None:
        """Release the memory."""
        self.engine.close()

    def _start_from_scratch(
        self, data: TrainingData, samples: Dataset, mixed: Sequence[np.ndarray]
    ) -> None:
        """Reset the model, set its normalization from mixed samples, and imprint each class.

        Continuing from old weights while samples come in costs up to three points of accuracy.
        """
        # a baked file has the temperature of its training, which is not that of this one
        self.engine.restore({**self.initial, TEMPERATURE: np.ones(1, np.float32)})
        self.class_weights.set_normalization(mixed)
        # a baked file has classes that may have been removed since
        in_file = np.flatnonzero(self.initial[MASK]).tolist()
        for index in sorted({*in_file, *data.class_indices.values()}):
            self.class_weights.clear(index)
        for index in data.class_indices.values():
            is_number = self.manifest.task == "regression"
            rows = (samples.weights if is_number else samples.targets)[:, index] > 0
            if rows.any():
                self.class_weights.imprint(index, [each[rows] for each in samples.features])
