"""A model for docs/recipe.md: the signatures of docs/contract.md on any number of rows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from plain import Floats, Rows

from sartor.contract.manifest import Manifest

__all__ = ["Engine", "Model"]


class Engine(Protocol):
    """A file whose signatures can be called, such as `sartor.litert.Engine`."""

    def run(self, key: str, inputs: Mapping[str, np.ndarray]) -> Mapping[str, np.ndarray]:
        """Call a signature: name → array."""
        ...

    def variables(self) -> dict[str, np.ndarray]:
        """Return the value of each variable."""
        ...

    def initial_variables(self) -> dict[str, np.ndarray]:
        """Return the initial value of each variable."""
        ...

    def restore(self, variables: Mapping[str, np.ndarray]) -> None:
        """Set all variables."""
        ...

    def copy(self) -> Engine:
        """Return another engine for the file, with the initial values."""
        ...


@dataclass
class Model:
    """A file with calls of any number of rows."""

    engine: Engine
    manifest: Manifest

    def set(self, **values: float) -> None:
        """Set variables of one number."""
        variables = self.engine.variables()
        new = {name: np.full(1, value, np.float32) for name, value in values.items()}
        self.engine.restore({**variables, **new})

    def deactivate_all(self) -> None:
        """Set the class mask to 0."""
        variables = self.engine.variables()
        mask = np.zeros(self.manifest.capacity, np.float32)
        self.engine.restore({**variables, "class_mask": mask})

    def set_class(self, c: int | None, x: Floats, *, active: bool) -> None:
        """Call `set_class` for class c, or for no class, with rows of weight 1."""
        one_hot = np.zeros(self.manifest.capacity, np.float32)
        if c is not None:
            one_hot[c] = 1
        weights = self._pad(np.ones(len(x)))
        inputs = {"class_one_hot": one_hot, "features": self._pad(x), "sample_weights": weights}
        self.engine.run("set_class", {**inputs, "active": np.full(1, active, np.float32)})

    def has_weights(self, c: int) -> bool:
        """Return whether a weight of class c is not 0."""
        variables = self.engine.variables()
        return any(
            np.take(variables[spec.name], c, spec.class_axis).any()
            for spec in self.manifest.variables
            if spec.role == "parameter" and spec.class_axis is not None
        )

    def normalized(self, x: Floats) -> Floats:
        """Return features [N, F], normalized with the statistics in the model."""
        variables = self.engine.variables()
        if "head/center" not in variables:
            return x
        return np.asarray((x - variables["head/center"]) * variables["head/scale"], float)

    def train(self, rows: Rows, weights: Floats, rate: float) -> None:
        """Make one step."""
        rate_input = {"learning_rate": np.full(1, rate, np.float32)}
        self.engine.run("train", {**self._inputs(rows, weights), **rate_input})

    def outputs(self, rows: Rows) -> Floats:
        """Return the outputs for rows, [N, K]."""
        b, weights = self.manifest.batch_size, rows.weights
        parts = []
        for i in range(0, len(rows), b):
            part = np.arange(i, min(i + b, len(rows)))
            outputs = self.engine.run("evaluate", self._inputs(rows.where(part), weights[part]))
            parts.append(outputs["output"][: len(part), : rows.targets.shape[1]])
        return np.concatenate(parts).astype(float)

    def loss(self, rows: Rows, weights: Floats) -> float:
        """Return the weighted mean of the loss."""
        b, total = self.manifest.batch_size, 0.0
        for i in range(0, len(rows), b):
            part = np.arange(i, min(i + b, len(rows)))
            inputs = self._inputs(rows.where(part), weights[part])
            loss = float(self.engine.run("evaluate", inputs)["loss"][0])
            total += loss * float(weights[part].sum())
        return total / float(weights.sum())

    def _inputs(self, rows: Rows, weights: Floats) -> dict[str, np.ndarray]:
        b, capacity = self.manifest.batch_size, self.manifest.capacity
        labels = np.where(np.isnan(rows.targets), 0, rows.targets)
        return {
            "features": self._pad(rows.features),
            "labels": _pad(labels, b, capacity),
            "sample_weights": self._pad(weights) if rows.single else _pad(weights, b, capacity),
        }

    def _pad(self, array: Floats) -> np.ndarray:
        return _pad(array, self.manifest.batch_size, *array.shape[1:])


def _pad(array: Floats, *shape: int) -> np.ndarray:
    """Append zeros up to a shape."""
    padded = np.zeros(shape, np.float32)
    padded[tuple(map(slice, array.shape))] = array
    return padded
