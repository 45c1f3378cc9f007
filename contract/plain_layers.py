"""The training of tuned layers of docs/recipe.md in plain NumPy, written from that page alone."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from plain import (
    Floats,
    Mask,
    Numbers,
    Rows,
    activation,
    calibration_error,
    deviation,
    logits,
    temperature,
)
from plain_detector import Detector, detector
from plain_model import Engine, Model
from plain_stages import NOTHING_STATED, Options, rates
from plain_training import (
    Result,
    Training,
    errors,
    expected_accuracy,
    fit,
    held_out_loss,
    held_out_values,
)

from sartor.contract.manifest import Manifest

__all__ = ["LayerResult", "fit_layers"]

_HEAD = ("train", "evaluate", "set_class")
_TRIALS, _TRIAL_STEPS = 5, 20


@dataclass(frozen=True)
class LayerResult:
    """A trained model: whether its layers were trained, and the number of steps."""

    variables: dict[str, np.ndarray]
    depth: str
    steps: int
    rate: float | None
    expected_accuracy: float | None
    calibration_error: float | None
    detector: Detector | None


class _HeadEngine:
    """A file whose `train`, `evaluate` and `set_class` are those of the head; it counts steps."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self.steps = 0

    def run(self, key: str, inputs: Mapping[str, np.ndarray]) -> Mapping[str, np.ndarray]:
        self.steps += key == "train"
        return self._engine.run(f"{key}_head" if key in _HEAD else key, inputs)

    def variables(self) -> dict[str, np.ndarray]:
        return self._engine.variables()

    def initial_variables(self) -> dict[str, np.ndarray]:
        return self._engine.initial_variables()

    def restore(self, variables: Mapping[str, np.ndarray]) -> None:
        self._engine.restore(variables)

    def copy(self) -> _HeadEngine:
        return _HeadEngine(self._engine.copy())


def fit_layers(
    engine: Engine, manifest: Manifest, rows: Rows, seed: int, depth: str,
    options: Options = NOTHING_STATED,
) -> LayerResult:  # fmt: skip
    """Train the head, and the layers with it if they gain (`auto`) or on request (`layers`)."""
    training = _LayerTraining(engine, manifest, seed, options)
    return training.run(rows, depth)


class _LayerTraining:
    def __init__(self, engine: Engine, manifest: Manifest, seed: int, options: Options) -> None:
        self._model, self._head_manifest = Model(engine, manifest), manifest.of_head()
        self._seed, self._options = seed, options
        self._rate = options.or_of(manifest).learning_rate
        self._head = _HeadEngine(engine)

    def run(self, rows: Rows, depth: str) -> LayerResult:
        engine = self._model.engine
        engine.restore(engine.initial_variables())
        head_rows = self._behind(rows)
        trained = fit(self._head, self._head_manifest, head_rows, self._seed, self._options)
        result = LayerResult(
            trained.variables, "head", self._head.steps, None, trained.expected_accuracy,
            trained.calibration_error, trained.detector,
        )  # fmt: skip
        if depth == "head":
            return result
        fold = trained.masks[0] if trained.masks else None
        evidence = None
        if fold is not None:
            evidence = self._without(rows, head_rows, fold, trained)
            pairs = [(held_out_loss(rows, each, fold), errors(rows, each, fold).sum())
                     for each in (evidence[0], trained.outputs)]  # fmt: skip
            better = pairs[0][0] < pairs[1][0] or pairs[0][1] < pairs[1][1]
            if depth == "auto" and not better:
                return result
        elif depth == "auto":
            return result
        self._start(trained.variables)
        everything = np.ones(len(rows), bool)
        before = errors(rows, self._model.outputs(rows), everything).sum()
        steps = self._train(rows)
        if depth == "auto" and errors(rows, self._model.outputs(rows), everything).sum() > before:
            return result
        return self._calibrated(rows, result, steps, fold, evidence)

    def _calibrated(
        self, rows: Rows, result: LayerResult, steps: int, fold: Mask | None,
        evidence: tuple[Floats, Rows] | None,
    ) -> LayerResult:  # fmt: skip
        outputs, masks = self._model.outputs(rows), [] if fold is None else [fold]
        t = 0.4 * deviation(outputs) or 1.0
        accuracy = error = None
        held_out = np.zeros_like(outputs)
        behind = self._behind(rows)
        if fold is not None and evidence is not None:
            t = temperature(*held_out_values(rows, evidence[0], fold), t, single=True)
            accuracy = expected_accuracy(rows, masks, evidence[0])
            held_out = activation(logits(evidence[0], single=True) / t, single=True)
            error = calibration_error(held_out[fold], rows.labels[fold])
        self._model.set(temperature=t)
        features = behind if evidence is None else evidence[1]
        fitted = detector(features, masks, held_out)
        if fitted is not None:
            fitted = fitted.with_features(behind)
        return LayerResult(
            self._model.engine.variables(), "layers", result.steps + steps, self._rate, accuracy,
            error, fitted,
        )  # fmt: skip

    def _without(
        self, rows: Rows, head_rows: Rows, fold: Mask, trained: Result
    ) -> tuple[Floats, Rows]:
        """Train head and layers without a fold; return outputs for it [N, K], and all features."""
        engine = self._model.engine
        engine.restore(engine.initial_variables())
        model = Model(_HeadEngine(engine), self._head_manifest)
        training = Training(model, head_rows.where(~fold), self._seed, trained.options)
        for s in range(trained.last + 1):
            training.stage(s)
        self._start(engine.variables())
        self._train(rows.where(~fold))
        outputs = np.zeros(rows.targets.shape)
        outputs[fold] = self._model.outputs(rows.where(fold))
        return outputs, self._behind(rows)

    def _behind(self, rows: Rows) -> Rows:
        """Return rows with the features behind the present layers."""
        features = [
            self._model.engine.run("run_layers", {"features": x[np.newaxis].astype(np.float32)})
            for x in rows.features
        ]
        return replace(rows, features=np.concatenate([each["head_features"] for each in features]))

    def _start(self, variables: Mapping[str, np.ndarray]) -> None:
        """Set variables, with the initial state of the optimizer and temperature 1."""
        initial, specs = self._model.engine.initial_variables(), self._model.manifest.variables
        states = [spec.name for spec in specs if spec.role == "optimizer_state"]
        self._model.engine.restore({**variables, **{name: initial[name] for name in states}})
        self._model.set(temperature=1.0)

    def _train(self, rows: Rows) -> int:
        """Train the layers and the head; return the number of steps."""
        batches = math.ceil(len(rows) / self._model.manifest.batch_size)
        steps = min(max(8 * batches, 120), 600)
        epochs = self._options.epochs or math.ceil(steps / batches)
        if self._rate is None:
            self._rate = self._search(rows)
        self._epochs(rows, rows.weights, rates(self._rate, epochs * batches), batches)
        return epochs * batches

    def _search(self, rows: Rows) -> float:
        """Return the first rate at which some steps do not raise the loss."""
        engine, manifest = self._model.engine, self._model.manifest
        few = rows.mixed(4 * manifest.batch_size, self._seed)
        part, weights, variables = rows.where(few), rows.weights[few], engine.variables()
        batches = math.ceil(len(few) / manifest.batch_size)
        before = self._model.loss(part, weights)
        rate = 0.008 if manifest.optimizer.step.adaptive else 0.25
        for _ in range(_TRIALS):
            steps = math.ceil(_TRIAL_STEPS / batches) * batches
            self._epochs(part, weights, [rate] * steps, batches)
            after = self._model.loss(part, weights)
            engine.restore(variables)
            if after <= before:
                break
            rate /= 4
        return rate

    def _epochs(self, rows: Rows, weights: Floats, of_steps: list[float], batches: int) -> None:
        remaining, numbers, rows = iter(of_steps), Numbers(self._seed), rows.smoothed
        for _ in range(len(of_steps) // batches):
            for part in np.array_split(numbers.permutation(len(rows)), batches):
                self._model.train(rows.where(part), weights[part], next(remaining))
