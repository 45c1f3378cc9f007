"""Vectors: calls on a fresh personalizable model, with their expected outputs."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, TypeAlias

import numpy as np
from reference import Reference

from sartor.contract.manifest import Manifest
from sartor.contract.names import (
    ACTIVE,
    CLASS_ONE_HOT,
    FEATURES,
    HEAD_SIGNATURES,
    LABELS,
    LEARNING_RATE,
    RUN,
    RUN_LAYERS,
    SAMPLE_WEIGHTS,
    VERSION,
)
from sartor.contract.signatures import TensorSpec, head_signature, numbered

__all__ = ["Call", "compare", "load", "record", "to_json"]

Arrays: TypeAlias = dict[str, np.ndarray]

TOLERANCE = 1e-5
"""Largest difference: absolute if the expected value is below 1, relative otherwise."""


@dataclass(frozen=True)
class Call:
    """One call.

    Attributes:
        about: purpose of the call.
        signature: key of the signature.
        inputs: name → value, in the types of the signature.
        outputs: name → expected value.
    """

    about: str
    signature: str
    inputs: Arrays
    outputs: Arrays


def record(content: bytes, seed: int = 0) -> list[Call]:
    """Return the vectors of a personalizable file."""
    reference = Reference(content)
    recorder = _Recorder(reference, np.random.default_rng(seed))
    _play(recorder)
    if reference.manifest.layers is not None:
        _play_head(recorder)
    return recorder.calls


def to_json(model: str, calls: list[Call], source: Mapping[str, str]) -> str:
    """Return the text of a vector file, with one call in each line.

    Args:
        model: file name of the model, in the folder of the vector file.
        calls: the calls, in order.
        source: source of the expected values.
    """
    head = {"contract": VERSION, "model": model, "tolerance": TOLERANCE, "expected": dict(source)}
    lines = [f"{json.dumps(key)}: {json.dumps(value)}" for key, value in head.items()]
    rows = ",\n".join(json.dumps(_call_to_json(call), separators=(",", ":")) for call in calls)
    return "{\n" + ",\n".join(lines) + ',\n"calls": [\n' + rows + "\n]\n}\n"


def load(text: str) -> list[Call]:
    """Return the calls of a vector file."""
    return [
        Call(
            item["about"],
            item["signature"],
            {name: _array(value) for name, value in item["inputs"].items()},
            {name: _array(value) for name, value in item["outputs"].items()},
        )
        for item in json.loads(text)["calls"]
    ]


def compare(
    outputs: Mapping[str, np.ndarray],
    expected: Mapping[str, np.ndarray],
    tolerance: float = TOLERANCE,
) -> float:
    """Return the largest difference (see `TOLERANCE`).

    Raises:
        AssertionError: If a name or shape differs, or a difference is above the tolerance.
    """
    assert set(outputs) == set(expected), f"got {sorted(outputs)}, expected {sorted(expected)}"
    largest = 0.0
    for name, reference in expected.items():
        value = outputs[name]
        assert value.shape == reference.shape, (
            f"{name}: got {value.shape}, expected {reference.shape}"
        )
        error = np.abs(value.astype(np.float64) - reference) / np.maximum(1.0, np.abs(reference))
        assert np.isfinite(error).all(), f"{name} is not finite: {value}"
        index = np.unravel_index(int(error.argmax()), error.shape)
        assert error[index] <= tolerance, (
            f"{name}{[int(i) for i in index]}: got {value[index]!r}, expected {reference[index]!r}"
        )
        largest = max(largest, float(error[index]))
    return largest


# --- calls ------------------------------------------------------------------------------------


@dataclass
class _Recorder:
    """A recorder of calls of the reference; `of_head`: of the head behind tuned layers alone."""

    reference: Reference
    random: np.random.Generator
    calls: list[Call] = field(default_factory=list)
    of_head: bool = False

    @property
    def manifest(self) -> Manifest:
        manifest = self.reference.manifest
        return manifest.of_head() if self.of_head else manifest

    def call(self, about: str, signature: str, inputs: Mapping[str, np.ndarray]) -> Arrays:
        dtypes = self.manifest.signatures()[signature][0]
        arrays = {name: np.asarray(inputs[name], spec.dtype) for name, spec in dtypes.items()}
        if self.of_head and signature in HEAD_SIGNATURES:
            signature = head_signature(signature)
        outputs = self.reference(signature, arrays)
        self.calls.append(Call(about, signature, arrays, outputs))
        return outputs

    def infer(self, about: str, inputs: Mapping[str, np.ndarray]) -> None:
        self.call(about, "infer", inputs)

    def train(self, about: str, batch: Mapping[str, np.ndarray], rate: float) -> None:
        self.call(about, "train", {**batch, LEARNING_RATE: np.array([rate])})

    def save(self, about: str) -> Arrays:
        return self.call(about, "save", {RUN: np.ones(1)})

    def raw(self) -> Arrays:
        """Return random inputs of the base."""
        return {spec.name: self._raw(spec.shape, spec.dtype) for spec in self.manifest.inputs}

    def features(self) -> Arrays:
        """Return random features with norms near 1, in multiples of 1/64 times a power of two."""
        size = sum(int(np.prod(spec.shape)) for spec in self.manifest.features)
        scale = 2.0 ** -np.floor(np.log2(np.sqrt(size)) / 1.5)
        specs = enumerate(self.manifest.features)
        batch = self.manifest.batch_size
        return {numbered(FEATURES, i): self._grid((batch, *s.shape)) * scale for i, s in specs}

    def batch(self, *, rows: int | None = None, soft: bool = False) -> Arrays:
        """Return a random batch; rows after the first `rows` have weight 0."""
        size, capacity = self.manifest.batch_size, self.manifest.capacity
        count = size if rows is None else rows
        if soft:
            labels = self.random.integers(1, 9, (size, capacity)) / (8.0 * capacity)
        else:
            labels = np.eye(capacity)[self.random.integers(0, capacity, size)]
        spec = self.manifest.signatures()["train"][0][SAMPLE_WEIGHTS]
        weights = self.random.integers(1, 5, spec.shape) / 4.0
        weights[count:] = 0
        return {**self.features(), LABELS: labels, SAMPLE_WEIGHTS: weights}

    def set_class(self, about: str, index: int, *, active: bool, rows: int) -> None:
        size, capacity = self.manifest.batch_size, self.manifest.capacity
        weights = (np.arange(size) < rows) * 1.0
        self.call(
            about, "set_class",
            {CLASS_ONE_HOT: np.eye(capacity)[index], **self.features(), SAMPLE_WEIGHTS: weights,
             ACTIVE: np.array([float(active)])},
        )  # fmt: skip

    def set_statistics(self, about: str, *, rows: int) -> None:
        size, capacity = self.manifest.batch_size, self.manifest.capacity
        weights = (np.arange(size) < rows) * 1.0
        self.call(
            about, "set_class",
            {CLASS_ONE_HOT: np.zeros(capacity), **self.features(), SAMPLE_WEIGHTS: weights,
             ACTIVE: np.ones(1)},
        )  # fmt: skip

    def other_state(self, temperature: float, active: np.ndarray) -> Arrays:
        """Return random values for `restore`."""
        state = {}
        for spec in self.manifest.variables:
            values = {
                "mask": active,
                "temperature": np.full(spec.shape, temperature),
                "weight_decay": np.full(spec.shape, 0.125),
                "random_state": 600.0 * np.arange(1, spec.shape[0] + 1),
            }
            if spec.role == "optimizer_state":
                shared = np.full(spec.shape, 3.0)
                own = self.random.integers(16, 65, spec.shape) / 64.0
                state[spec.name] = shared if spec.parameter is None else own
            else:
                state[spec.name] = values.get(spec.role, self._grid(spec.shape))
        return state

    def _grid(self, shape: tuple[int, ...]) -> np.ndarray:
        return np.asarray(self.random.integers(-64, 65, shape) / 64.0)

    def _raw(self, shape: tuple[int, ...], dtype: str) -> np.ndarray:
        if dtype == "float32":
            return self._grid(shape)
        return self.random.integers(0, 256 if dtype == "uint8" else 4, shape)


def _play(r: _Recorder) -> None:
    """Call every signature, and include the edge cases of runtimes and heads."""
    size, capacity = r.manifest.batch_size, r.manifest.capacity
    some, short = range(min(3, capacity)), max(1, size // 2)
    inputs, probe = r.raw(), r.batch(rows=size)
    r.save("initial values")
    r.infer("initial values", inputs)
    r.call("initial values", "evaluate", probe)
    for index in some:
        r.set_class("imprint a class", index, active=True, rows=1 + index % size)
    r.infer("with imprinted classes", inputs)
    r.call("before training", "evaluate", probe)
    for rate in (0.125, 0.125, 0.03125):
        r.train("a full batch", r.batch(), rate)
    r.train("a short batch: the rest has weight 0", r.batch(rows=short), 0.0625)
    r.train("soft labels", r.batch(soft=True), 0.0625)
    r.train("all weights 0", r.batch(rows=0), 0.0625)
    r.train("a learning rate of 0", r.batch(), 0.0)
    r.call("all weights 0", "evaluate", r.batch(rows=0))
    r.call("after training", "evaluate", probe)
    r.infer("after training", inputs)
    r.infer("another input", r.raw())
    trained = r.save("after training")
    r.set_class("clear a class", 0, active=False, rows=0)
    cleared = r.save("after a class was cleared")
    r.call("after a class was cleared", "evaluate", probe)
    _check_cleared(r.manifest, cleared)
    for rows in (1, size):
        r.set_statistics("compute the normalization statistics", rows=rows)
        r.call("with other normalization statistics", "evaluate", probe)
    r.infer("with other normalization statistics", inputs)
    r.train("with other normalization statistics", r.batch(), 0.0625)
    r.save("with other normalization statistics")
    mask = (np.arange(capacity) % 2 == 0) * 1.0
    r.call("random values", "restore", r.other_state(2.5, mask))
    r.save("restored values")
    r.infer("temperature 2.5, every second class", inputs)
    r.call("temperature 2.5, every second class", "evaluate", probe)
    r.train("temperature 2.5, every second class", r.batch(), 0.0625)
    r.call("no class is active", "restore", r.other_state(1.0, np.zeros(capacity)))
    r.infer("no class is active", inputs)
    r.call("no class is active", "evaluate", probe)
    r.train("no class is active", r.batch(), 0.0625)
    r.save("after a step without an active class")
    r.call("saved values", "restore", trained)
    r.call("as after training", "evaluate", probe)
    r.train("training continues", r.batch(), 0.0625)
    r.call("initial values", "initialize", {RUN: np.ones(1)})
    r.save("initial values")
    r.infer("initial values", inputs)


def _play_head(r: _Recorder) -> None:
    """Call the signatures of tuned layers, and those of the head behind them."""
    head = replace(r, of_head=True)  # the same list of calls
    size, capacity = r.manifest.batch_size, r.manifest.capacity
    inputs, probe = r.raw(), head.batch(rows=size)
    sample = {name: rows[:1] for name, rows in r.features().items()}
    r.call("initial values", RUN_LAYERS, sample)
    head.set_statistics("compute the normalization statistics", rows=size)
    for index in range(min(3, capacity)):
        head.set_class("imprint a class", index, active=True, rows=1 + index % size)
    head.call("with imprinted classes", "evaluate", probe)
    for rate in (0.125, 0.03125):
        head.train("a full batch, the head alone", head.batch(), rate)
    head.train("a short batch, the head alone", head.batch(rows=max(1, size // 2)), 0.0625)
    head.call("with a trained head", "evaluate", probe)
    r.call("with a trained head", RUN_LAYERS, sample)
    r.save("with a trained head")
    r.train("head and layers", r.batch(), 0.0625)
    r.call("with trained layers", RUN_LAYERS, sample)
    r.infer("with trained layers", inputs)
    head.call("with trained layers", "evaluate", probe)
    head.set_class("clear a class", 0, active=False, rows=0)
    r.save("after a class was cleared")


def _check_cleared(manifest: Manifest, state: Mapping[str, np.ndarray]) -> None:
    for spec in manifest.variables:
        if spec.class_axis is not None:
            assert not np.take(state[spec.name], 0, spec.class_axis).any(), spec.name


# --- JSON --------------------------------------------------------------------------------------


def _call_to_json(call: Call) -> dict[str, Any]:
    return {
        "about": call.about,
        "signature": call.signature,
        "inputs": {name: _tensor(value) for name, value in call.inputs.items()},
        "outputs": {name: _tensor(value) for name, value in call.outputs.items()},
    }


def _tensor(value: np.ndarray) -> dict[str, Any]:
    dtype = "float32" if value.dtype.kind == "f" else value.dtype.name
    return {"shape": list(value.shape), "dtype": dtype, "data": list(_numbers(value))}


def _numbers(value: np.ndarray) -> Iterator[int | float]:
    """Yield numbers with nine digits, the precision of float32; integers without a point."""
    for number in value.reshape(-1):
        rounded = float(f"{number:.9g}")
        yield int(rounded) if rounded.is_integer() else rounded


def _array(item: Mapping[str, Any]) -> np.ndarray:
    spec = TensorSpec(tuple(item["shape"]), item["dtype"])
    return np.array(item["data"], spec.dtype).reshape(spec.shape)
