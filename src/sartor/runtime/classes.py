"""The weights of single classes in a model: imprinted, cleared, inspected."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..contract.manifest import Manifest
from ..contract.names import ACTIVE, CENTER, CLASS_ONE_HOT, PARAMETER, SCALE
from ..litert import Engine
from .data.batches import Batch

__all__ = ["ClassWeights"]


class ClassWeights:
    """Sets the weights of single classes, with the signature `set_class`.

    Args:
        engine: engine that holds the model.
        manifest: manifest of the model file.
    """

    def __init__(self, engine: Engine, manifest: Manifest) -> None:
        self._engine = engine
        self._manifest = manifest
        self._batch = Batch(manifest)

    def imprint(self, index: int, features: Sequence[np.ndarray]) -> None:
        """Compute the weights of a class from features of its samples.

        Args:
            index: class index.
            features: float32 [n, …] for each features tensor. The first B rows count.
        """
        first = [rows[: self._manifest.batch_size] for rows in features]
        self._set_class(self._one_hot(index), first, active=1)

    def set_normalization(self, features: Sequence[np.ndarray]) -> None:
        """Compute the normalization statistics of the head from samples of all classes.

        Args:
            features: float32 [n, …] for each features tensor, n ≤ B.
        """
        no_class = np.zeros(self._manifest.capacity, np.float32)
        self._set_class(no_class, features, active=1)

    def normalize(self, features: Sequence[np.ndarray]) -> np.ndarray:
        """Return features as the first layer of the head sees them: flat, float64 [n, F].

        Args:
            features: float32 [n, …] for each features tensor.
        """
        flat = [each.reshape(len(each), -1) for each in features]
        rows = np.concatenate(flat, 1, dtype=np.float64)
        variables = self._engine.variables()
        if CENTER not in variables:
            return rows
        return np.asarray((rows - variables[CENTER]) * variables[SCALE])

    def clear(self, index: int) -> None:
        """Zero the weights and the optimizer state of a class, and mask it."""
        zeros = [np.zeros((1, *spec.shape), np.float32) for spec in self._manifest.features]
        self._set_class(self._one_hot(index), zeros, active=0)

    def are_zero(self) -> np.ndarray:
        """Return whether all weights of each class are zero: bool [C]."""
        variables = self._engine.variables()
        zero = np.ones(self._manifest.capacity, bool)
        for spec in self._manifest.variables:
            if spec.role == PARAMETER and spec.class_axis is not None:
                values = np.moveaxis(variables[spec.name], spec.class_axis, 0)
                zero &= ~values.reshape(len(zero), -1).any(1)
        return zero

    def _one_hot(self, index: int) -> np.ndarray:
        row = np.zeros(self._manifest.capacity, np.float32)
        row[index] = 1
        return row

    def _set_class(
        self, one_hot: np.ndarray, features: Sequence[np.ndarray], *, active: int
    ) -> None:
        inputs = {CLASS_ONE_HOT: one_hot, ACTIVE: np.full(1, active, np.float32)}
        self._engine.run("set_class", {**self._batch.class_inputs(features), **inputs})
