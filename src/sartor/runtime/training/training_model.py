"""The copy of a model that training uses."""

from __future__ import annotations

import numpy as np

from ...contract.manifest import Manifest
from ...contract.names import MASK, RUN, TEMPERATURE
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
        class_weights: sets the weights of classes in `engine`.
        untrained: the initial variables without classes: a file may have trained ones.
    """

    def __init__(self, engine: Engine, manifest: Manifest) -> None:
        self.manifest = manifest
        self.engine = engine
        self.class_weights = ClassWeights(self.engine, manifest)
        self._batch = Batch(manifest)
        self.untrained: Variables = self._untrained_variables()

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

        Continuing from old weights while samples come in costs up to three points of accuracy, so
        all classes are imprinted, unless the training is a warm start.

        Args:
            data: the weights in use, and whether the training continues from them.
            samples: training samples.
            mixed: some of them, of all classes, at most B rows.
        """
        self.normalize(data, mixed)
        if data.warm:
            return
        for index in data.class_indices.values():
            is_number = self.manifest.task == "regression"
            rows = (samples.weights if is_number else samples.targets)[:, index] > 0
            if rows.any():
                self.class_weights.imprint(index, [each[rows] for each in samples.features])

    def normalize(self, data: TrainingData, mixed: Dataset) -> None:
        """Remove all classes and compute the normalization statistics, unless it is a warm start.

        Args:
            data: the weights in use, and whether the training continues from them.
            mixed: samples of all classes, at most B rows.
        """
        if data.warm:
            self.engine.restore(data.variables)
            return
        self.engine.restore(self.untrained)
        self.class_weights.set_normalization(mixed.features)

    def variables(self, data: TrainingData) -> Variables:
        """Return the present weights, with the temperature before the training."""
        return {**self.engine.variables(), TEMPERATURE: data.variables[TEMPERATURE]}

    def close(self) -> None:
        """Release the memory."""
        self.engine.close()

    def _untrained_variables(self) -> Variables:
        self.engine.run("initialize", {RUN: np.ones(1, np.float32)})
        for index in np.flatnonzero(~self.class_weights.are_zero()):
            self.class_weights.clear(int(index))
        no_class = np.zeros(self.manifest.capacity, np.float32)
        return {
            **self.engine.variables(), MASK: no_class, TEMPERATURE: np.ones(1, np.float32),
        }  # fmt: skip
