"""The training of docs/recipe.md in plain NumPy, on the signatures of docs/contract.md."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np
from plain import (
    Detector,
    Floats,
    Mask,
    Numbers,
    Rows,
    activation,
    calibration_error,
    cross_entropy,
    detector,
    deviation,
    folds,
    logits,
    temperature,
)

from sartor.contract.manifest import Manifest
from sartor.litert import Engine

STAGES = 5


@dataclass
class Model:
    """A file with calls of any number of rows."""

    engine: Engine
    manifest: Manifest

    def set(self, **values: float) -> None:
        variables = self.engine.variables()
        new = {name: np.full(1, value, np.float32) for name, value in values.items()}
        self.engine.restore({**variables, **new})

    def set_class(self, c: int | None, x: Floats, *, active: bool) -> None:
        one_hot = np.zeros(self.manifest.capacity, np.float32)
        if c is not None:
            one_hot[c] = 1
        weights = self._pad(np.ones(len(x)))
        inputs = {"class_one_hot": one_hot, "features": self._pad(x), "sample_weights": weights}
        self.engine.run("set_class", {**inputs, "active": np.full(1, active, np.float32)})

    def train(self, rows: Rows, weights: Floats, rate: float) -> None:
        rate_input = {"learning_rate": np.full(1, rate, np.float32)}
        self.engine.run("train", {**self._inputs(rows, weights), **rate_input})

    def outputs(self, rows: Rows) -> Floats:
        b, weights = self.manifest.batch_size, rows.weights
        parts = []
        for i in range(0, len(rows), b):
            part = np.arange(i, min(i + b, len(rows)))
            outputs = self.engine.run("evaluate", self._inputs(rows.where(part), weights[part]))
            parts.append(outputs["output"][: len(part), : rows.targets.shape[1]])
        return np.concatenate(parts).astype(float)

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


@dataclass
class Training:
    """One training, in stages."""

    model: Model
    rows: Rows
    seed: int
    numbers: Numbers = field(init=False)

    def __post_init__(self) -> None:
        self.numbers = Numbers(self.seed)
        model, rows, b = self.model, self.rows, self.model.manifest.batch_size
        model.engine.restore(model.engine.initial_variables())
        model.set(temperature=1.0)
        mixed = rows.mixed(b, self.seed)
        model.set_class(None, rows.features[mixed], active=True)
        for c in range(model.manifest.capacity):
            model.set_class(c, rows.features[:0], active=False)
        for c in range(rows.targets.shape[1]):
            part = rows.of_class(c)[:b]
            if len(part):
                model.set_class(c, rows.features[part], active=True)

    def stage(self, s: int) -> None:
        rows, manifest = self.rows, self.model.manifest
        n, outputs = rows.effective, 1 if rows.single else rows.targets.shape[1]
        strength = 4 / 4**s
        decay = strength / n / outputs
        batches = math.ceil(len(rows) / manifest.batch_size)
        step = manifest.optimizer.step
        count = min(max(0.075 * n / strength, 128), 500)
        if not step.adaptive and step.momentum == 0:
            count *= 3
        epochs = math.ceil(count / batches)
        peak = self._peak(decay, outputs)
        self.model.set(weight_decay=decay)
        weights = rows.weights
        total, i = epochs * batches, 0
        for _ in range(epochs):
            for part in np.array_split(self.numbers.permutation(len(rows)), batches):
                rate = peak * (1 + math.cos(math.pi * i / total)) / 2
                self.model.train(rows.where(part), weights[part], rate)
                i += 1

    def _peak(self, decay: float, outputs: int) -> float:
        manifest, step = self.model.manifest, self.model.manifest.optimizer.step
        norm = manifest.head.feature_norm
        assert norm is not None
        if step.adaptive:
            x = self.rows.features
            x = x * norm / np.sqrt((x**2).sum(axis=1, keepdims=True))
            return float(1 / (1 + np.abs(x).sum(axis=1).mean()))
        stable = 2 * (1 + step.momentum)
        if step.nesterov:
            stable /= 1 + 2 * step.momentum
        bound = manifest.loss.curvature * (1 + norm**2) / outputs
        return 1 / (bound / (2 * stable) + decay / stable)


@dataclass(frozen=True)
class Result:
    """A trained model.

    Attributes:
        masks: the rows that each fold holds out.
        last: the last stage.
        expected_accuracy, calibration_error: None if nothing is held out.
    """

    variables: dict[str, np.ndarray]
    masks: list[Mask]
    last: int
    temperature: float
    expected_accuracy: float | None
    calibration_error: float | None
    detector: Detector | None


def fit(engine: Engine, manifest: Manifest, rows: Rows, seed: int) -> Result:
    """Train the file on rows."""
    masks = folds(rows, seed)
    held, single = np.any([*masks, np.zeros(len(rows), bool)], axis=0), rows.single
    outputs, last = _validate(engine, manifest, rows, seed, masks)
    model = Model(engine, manifest)
    training = Training(model, rows, seed)
    for s in range(last + 1):
        training.stage(s)
    t = 0.45 * deviation(model.outputs(rows)) or 1.0
    if masks:
        t = temperature(*_held_out(rows, outputs, held), t, single=single)
    model.set(temperature=t)
    accuracy = error = ood_detector = None
    if masks and (not single or rows.targets.shape[1] > 1):
        accuracy = _accuracy(rows, masks, held, outputs)
    if single:
        outputs = activation(logits(outputs, single=True) / t, single=True)
        ood_detector = detector(rows, masks, outputs)
        if accuracy is not None:
            error = calibration_error(outputs[held], rows.labels[held])
    return Result(engine.variables(), masks, last, t, accuracy, error, ood_detector)


def _validate(
    engine: Engine, manifest: Manifest, rows: Rows, seed: int, masks: list[Mask]
) -> tuple[Floats, int]:
    """Return the held-out outputs [N, K] of the last stage, and the last stage."""
    best = np.zeros(rows.targets.shape)
    if not masks:
        return best, 1
    models = [Model(engine.copy(), manifest) for _ in masks]
    trainings = [
        Training(model, rows.where(~mask), seed) for model, mask in zip(models, masks, strict=True)
    ]
    held, lowest, last = np.any(masks, axis=0), math.inf, 0
    for s in range(STAGES):
        outputs = np.zeros(rows.targets.shape)
        for training, mask in zip(trainings, masks, strict=True):
            training.stage(s)
            outputs[mask] = training.model.outputs(rows.where(mask))
        z, y, w = _held_out(rows, outputs, held)
        t = temperature(z, y, w, 1.0, single=rows.single)
        loss = cross_entropy(z / t, y, w, single=rows.single)
        if loss > lowest - 0.005:
            break
        lowest, last, best = loss, s, outputs
    return best, last


def _held_out(rows: Rows, outputs: Floats, held: Mask) -> tuple[Floats, Floats, Floats]:
    """Return logits, targets and weights of the held-out rows."""
    targets, f = rows.targets[held], rows.fractions[held][:, None]
    z = logits(outputs[held], single=rows.single)
    return z, np.nan_to_num(targets), f if rows.single else f * ~np.isnan(targets)


def _accuracy(rows: Rows, masks: list[Mask], held: Mask, outputs: Floats) -> float:
    p = 1 - held.sum() / len(rows) / len(masks)
    if rows.single:
        wrong = outputs.argmax(axis=1) != rows.labels
        return float(1 - wrong[held].mean() * p ** (1 / 3))
    wrong = (outputs > 0.5) != (rows.targets > 0.5)
    return float(1 - wrong[held][~np.isnan(rows.targets[held])].mean() * p ** (1 / 3))


def imprint(engine: Engine, manifest: Manifest, rows: Rows) -> dict[str, np.ndarray]:
    """Imprint all classes of a classification, and return the variables."""
    model, count = Model(engine, manifest), rows.targets.shape[1]
    means = np.stack([rows.features[rows.of_class(c)].mean(axis=0) for c in range(count)])
    for c in range(count):
        model.set_class(c, means[c : c + 1], active=True)
    first = means[: manifest.batch_size]
    outputs = model.outputs(Rows(first, np.eye(count)[: len(first)], np.arange(len(first)), True))
    before = float(engine.variables()["temperature"][0])
    model.set(temperature=0.4 * before * deviation(outputs) or 1.0)
    return engine.variables()
