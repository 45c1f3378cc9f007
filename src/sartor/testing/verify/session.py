"""Run a personalizable file in LiteRT, signature by signature."""

from __future__ import annotations

import numpy as np

from ...contract.manifest import Manifest
from ...contract.names import (
    FEATURES,
    LABELS,
    LEARNING_RATE,
    LOSS,
    MASK,
    SAMPLE_WEIGHTS,
    TEMPERATURE,
    WEIGHT_DECAY,
)
from ...contract.signatures import numbered
from ...litert import create_interpreter

__all__ = ["Batch", "Session", "Variables"]

Variables = dict[str, np.ndarray]
"""Name → value of each variable."""

Batch = dict[str, np.ndarray]
"""The inputs of `evaluate`: features, labels and weights."""


class Session:
    """One interpreter on one personalizable file.

    Args:
        content: the file.
        manifest: its manifest.

    Raises:
        InvalidModelError: If LiteRT cannot load the file.
    """

    def __init__(self, content: bytes, manifest: Manifest) -> None:
        self.manifest = manifest
        interpreter = create_interpreter(content)
        keys = interpreter.get_signature_list()
        self._runners = {key: interpreter.get_signature_runner(key) for key in keys}
        self._initial = self.save()

    def call(self, key: str, **inputs: np.ndarray) -> dict[str, np.ndarray]:
        """Call a signature."""
        outputs: dict[str, np.ndarray] = self._runners[key](**inputs)
        return outputs

    def save(self) -> Variables:
        """Return the value of each variable."""
        return self.call("save", run=np.ones(1, np.float32))

    def restore(self, variables: Variables) -> None:
        """Set each variable."""
        self.call("restore", **variables)

    def initialize(self) -> None:
        """Reset each variable to its initial value."""
        self.call("initialize", run=np.ones(1, np.float32))

    def loss(self, variables: Variables, batch: Batch) -> float:
        """Return the loss of `evaluate` on a batch."""
        self.restore(variables)
        return float(self.call("evaluate", **batch)[LOSS][0])

    def training_loss(self, variables: Variables, batch: Batch) -> float:
        """Return the loss at the start of a training step.

        If training uses random numbers, this is the loss of `train` with learning rate 0. It is
        reproducible, because the random numbers depend on the variables only. Otherwise it is the
        loss of `evaluate`, which shares no ops with `train`.
        """
        if not self.random_state():
            return self.loss(variables, batch)
        self.restore(variables)
        outputs = self.call("train", **batch, **{LEARNING_RATE: np.zeros(1, np.float32)})
        return float(outputs[LOSS][0])

    def train(self, variables: Variables, batch: Batch, learning_rate: float) -> Variables:
        """Return the variables after one training step."""
        self.restore(variables)
        self.call("train", **batch, learning_rate=np.array([learning_rate], np.float32))
        return self.save()

    def set_class(
        self, variables: Variables, index: int, batch: Batch, *, active: bool = True,
        key: str = "set_class",
    ) -> None:  # fmt: skip
        """Imprint a class, or clear it. If the batch has several rows, the last has weight 0."""
        weights = np.ones(self.manifest.batch_size, np.float32)
        weights[-1] = self.manifest.batch_size == 1
        one_hot = np.eye(self.manifest.capacity, dtype=np.float32)[index]
        self._call_set_class(variables, one_hot, batch, weights, active, key)

    def update_statistics(self, variables: Variables, batch: Batch) -> None:
        """Compute normalization statistics. The second half of the rows has weight 0."""
        weights = np.zeros(self.manifest.batch_size, np.float32)
        weights[: max(1, self.manifest.batch_size // 2)] = 1
        no_class = np.zeros(self.manifest.capacity, np.float32)
        self._call_set_class(variables, no_class, batch, weights, True)

    def _call_set_class(
        self,
        variables: Variables,
        one_hot: np.ndarray,
        batch: Batch,
        weights: np.ndarray,
        active: bool,
        key: str = "set_class",
    ) -> None:
        features = {name: value for name, value in batch.items() if name.startswith(FEATURES)}
        self.restore(variables)
        self.call(
            key, class_one_hot=one_hot, **features, sample_weights=weights,
            active=np.array([active], np.float32),
        )  # fmt: skip

    @property
    def has_constant_loss(self) -> bool:
        """Whether the loss is always 0: a classifier with one class predicts it every time."""
        return self.manifest.task == "classification" and self.manifest.capacity == 1

    def parameters(self) -> list[str]:
        """Return the names of the trained variables."""
        return self._with_roles("parameter")

    def untrained(self) -> list[str]:
        """Return the names of the variables that training does not change."""
        return self._with_roles("statistic", "mask", "temperature", "weight_decay")

    def random_state(self) -> list[str]:
        """Return the names of the variables that determine random numbers."""
        return self._with_roles("random_state")

    def _with_roles(self, *roles: str) -> list[str]:
        return [spec.name for spec in self.manifest.variables if spec.role in roles]

    def noise(self, rng: np.random.Generator) -> Variables:
        """Return random values that are only good for `save` and `restore`."""
        shapes = {spec.name: spec.shape for spec in self.manifest.variables}
        return {
            name: rng.standard_normal(shape).astype(np.float32) for name, shape in shapes.items()
        }

    def random_variables(self, rng: np.random.Generator) -> Variables:
        """Return random weights, with all classes active and the optimizer state zero."""
        variables = {name: value.copy() for name, value in self._initial.items()}
        for spec in self.manifest.variables:
            if spec.role == "optimizer_state":  # nonzero in a baked file
                variables[spec.name] = np.zeros_like(variables[spec.name])
            elif spec.role == "parameter":
                fan_in = [size for axis, size in enumerate(spec.shape) if axis != spec.class_axis]
                noise = rng.standard_normal(spec.shape) / np.sqrt(np.prod(fan_in))
                variables[spec.name] += noise.astype(np.float32)
        variables[MASK] = np.ones_like(variables[MASK])
        variables[TEMPERATURE] = np.ones_like(variables[TEMPERATURE])
        variables[WEIGHT_DECAY] = np.zeros_like(variables[WEIGHT_DECAY])
        return variables

    def random_batch(self, rng: np.random.Generator) -> Batch:
        """Return normal features, soft labels and positive weights; the last row has weight 0."""
        manifest = self.manifest
        rows = (manifest.batch_size, manifest.capacity)
        labels = rng.random(rows)
        if manifest.task == "classification":
            labels /= labels.sum(1, keepdims=True)
        weights = rng.uniform(0.2, 1.0, rows if manifest.weights_per_output else rows[:1])
        if manifest.batch_size > 1:
            weights[-1] = 0
        batch = {LABELS: labels, SAMPLE_WEIGHTS: weights}
        for index, spec in enumerate(manifest.features):
            values = rng.standard_normal((manifest.batch_size, *spec.shape))
            batch[numbered(FEATURES, index)] = values
        return {name: value.astype(np.float32) for name, value in batch.items()}

    def change_last_row(self, batch: Batch) -> Batch:
        """Return a batch with other features and labels in its last row."""
        changed = {name: value.copy() for name, value in batch.items()}
        for index in range(len(self.manifest.features)):
            changed[numbered(FEATURES, index)][-1] += 1
        changed[LABELS][-1] = 1 - changed[LABELS][-1]
        return changed
