"""A file in LiteRT's interpreter, called by signature: all that a verifier needs."""

from __future__ import annotations

import numpy as np

from ...contract.manifest import Manifest
from ...contract.names import FEATURES, LABELS, LEARNING_RATE, LOSS, MASK, TEMPERATURE, WEIGHTS
from ...contract.signatures import numbered
from ...litert import create_interpreter

__all__ = ["Batch", "Session", "State"]

State = dict[str, np.ndarray]
"""The value of each variable."""

Batch = dict[str, np.ndarray]
"""What `evaluate` takes: features, labels and weights."""


class Session:
    """One interpreter on one personalizable file."""

    def __init__(self, content: bytes, manifest: Manifest) -> None:
        """Load the file; raise InvalidModelError if LiteRT cannot load it."""
        self.manifest = manifest
        interpreter = create_interpreter(content)
        keys = interpreter.get_signature_list()
        self._run = {key: interpreter.get_signature_runner(key) for key in keys}
        self._initial = self.save()

    def call(self, key: str, **inputs: np.ndarray) -> dict[str, np.ndarray]:
        """Call a signature."""
        result: dict[str, np.ndarray] = self._run[key](**inputs)
        return result

    def save(self) -> State:
        """The value of each variable."""
        return self.call("save", run=np.ones(1, np.float32))

    def restore(self, state: State) -> None:
        """Set each variable."""
        self.call("restore", **state)

    def loss(self, state: State, batch: Batch) -> float:
        """The loss of a batch in a state."""
        self.restore(state)
        return float(self.call("evaluate", **batch)[LOSS][0])

    def training_loss(self, state: State, batch: Batch) -> float:
        """The loss that a training step from a state starts from.

        Where training is random this is what `train` itself reports: its randomness is a function
        of the state, so that it can be asked again and again. Else `evaluate`, which shares
        nothing with `train`.
        """
        if not self.random():
            return self.loss(state, batch)
        self.restore(state)
        outputs = self.call("train", **batch, **{LEARNING_RATE: np.zeros(1, np.float32)})
        return float(outputs[LOSS][0])

    def train(self, state: State, batch: Batch, learning_rate: float) -> State:
        """The state after one step from a state."""
        self.restore(state)
        self.call("train", **batch, learning_rate=np.array([learning_rate], np.float32))
        return self.save()

    def set_class(self, state: State, slot: int, batch: Batch, *, active: bool = True) -> None:
        """In a state, make or wipe a class; the last row (of several) has weight 0."""
        manifest = self.manifest
        rows = {name: value for name, value in batch.items() if name.startswith(FEATURES)}
        weights = np.ones(manifest.batch, np.float32)
        weights[-1] = manifest.batch == 1
        self.restore(state)
        self.call(
            "set_class", slot=np.eye(manifest.capacity, dtype=np.float32)[slot], **rows,
            weights=weights, active=np.array([active], np.float32),
        )  # fmt: skip

    def view(self, state: State, batch: Batch) -> None:
        """In a state, take a view of features; rows (of several) after the first half count 0."""
        manifest = self.manifest
        rows = {name: value for name, value in batch.items() if name.startswith(FEATURES)}
        weights = np.zeros(manifest.batch, np.float32)
        weights[: max(1, manifest.batch // 2)] = 1
        self.restore(state)
        self.call(
            "set_class", slot=np.zeros(manifest.capacity, np.float32), **rows,
            weights=weights, active=np.ones(1, np.float32),
        )  # fmt: skip

    @property
    def nothing_to_learn(self) -> bool:
        """A single class of a classifier is always certain: its loss has no slope."""
        return self.manifest.task == "classification" and self.manifest.capacity == 1

    def parameters(self) -> list[str]:
        """Names of the variables that training changes."""
        return self._of_roles("parameter")

    def untrained(self) -> list[str]:
        """Names of the variables that training leaves alone."""
        return self._of_roles("statistic", "mask", "temperature")

    def random(self) -> list[str]:
        """Names of the variables that training draws its randomness from."""
        return self._of_roles("random")

    def _of_roles(self, *roles: str) -> list[str]:
        return [spec.name for spec in self.manifest.variables if spec.role in roles]

    def any_state(self, rng: np.random.Generator) -> State:
        """Noise in every variable: to be kept, and not to be computed with."""
        shapes = {spec.name: spec.shape for spec in self.manifest.variables}
        return {n: rng.standard_normal(shape).astype(np.float32) for n, shape in shapes.items()}

    def some_state(self, rng: np.random.Generator) -> State:
        """A state that is nowhere special: weights moved, all classes active, no past."""
        state = {name: value.copy() for name, value in self._initial.items()}
        for spec in self.manifest.variables:
            if spec.role in ("slot", "optimizer"):  # a baked file has a past
                state[spec.name] = np.zeros_like(state[spec.name])
            elif spec.role == "parameter":
                of_a_class = [n for axis, n in enumerate(spec.shape) if axis != spec.class_axis]
                noise = rng.standard_normal(spec.shape) / np.sqrt(np.prod(of_a_class))
                state[spec.name] += noise.astype(np.float32)
        state[MASK] = np.ones_like(state[MASK])
        state[TEMPERATURE] = np.ones_like(state[TEMPERATURE])
        return state

    def some_batch(self, rng: np.random.Generator) -> Batch:
        """Features about one long in each element, soft labels, and weights with a zero."""
        manifest = self.manifest
        rows = (manifest.batch, manifest.capacity)
        labels = rng.random(rows)
        if manifest.task == "classification":
            labels /= labels.sum(1, keepdims=True)
        weights = rng.uniform(0.2, 1.0, rows if manifest.weights_per_output else rows[:1])
        if manifest.batch > 1:
            weights[-1] = 0
        batch = {LABELS: labels, WEIGHTS: weights}
        for index, spec in enumerate(manifest.features):
            values = rng.standard_normal((manifest.batch, *spec.shape))
            batch[numbered(FEATURES, index)] = values
        return {name: value.astype(np.float32) for name, value in batch.items()}
