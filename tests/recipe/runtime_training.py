"""The rules of docs/recipe.md that call a model, by the runtime."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, TypeAlias

import numpy as np
from recipe_vectors import FOLDER
from runtime_validation import array

from sartor import PersonalModel
from sartor.runtime.training.config import TrainingConfig
from sartor.runtime.training.control import Control
from sartor.runtime.training.data import TrainingData
from sartor.runtime.training.staged import StagedTraining
from sartor.runtime.training.training_model import TrainingModel

__all__ = [
    "continue_training",
    "first_stage",
    "fit",
    "fit_layers",
    "imprint",
    "search_rate",
    "start",
]

Values: TypeAlias = Mapping[str, Any]


@contextmanager
def _opened(x: Values, checkpoint: Path | None = None) -> Iterator[PersonalModel]:
    """Open the model of a case, with its samples."""
    with PersonalModel(FOLDER / x["model"]) as model:
        if checkpoint is not None:
            model.load(checkpoint)
        samples = np.asarray(x["samples"])
        for sample in np.unique(samples):
            rows = np.flatnonzero(samples == sample)
            targets = {
                model.manifest.classes[c] or f"class {c}": float(target)
                for c, target in enumerate(x["targets"][rows[0]])
                if target is not None and (target or model.manifest.task != "classification")
            }
            features = [[array(x["features"][row])[np.newaxis]] for row in rows]
            model._samples.add_features(features, targets)
        yield model


def imprint(x: Values) -> Values:
    with _opened(x) as model:
        return {"variables": model._state.engine.variables()}


def _with_training(x: Values, play: Callable[[StagedTraining, TrainingModel], Values]) -> Values:
    config = TrainingConfig(**x.get("options", {}), seed=x["seed"])
    with _opened(x) as model:
        copy = TrainingModel(model._state.engine.copy(), model.manifest)
        data = TrainingData.collect(model._samples, model._state, config)
        return play(StagedTraining(copy, config, data, Control()), copy)


def start(x: Values) -> Values:
    def play(training: StagedTraining, model: TrainingModel) -> Values:
        training._start()
        peaks = [stage.peak for stage in training.stages]
        return {"variables": model.engine.variables(), "peaks": peaks}

    return _with_training(x, play)


def first_stage(x: Values) -> Values:
    def play(training: StagedTraining, model: TrainingModel) -> Values:
        training.run()
        return {"variables": model.engine.variables()}

    return _with_training(x, play)


def search_rate(x: Values) -> Values:
    return _with_training(x, lambda training, _: {"peak": training.stages[0].peak})


def fit(x: Values) -> Values:
    with _opened(x) as model:
        history = model.fit(**x["options"], seed=x["seed"])
        variables, detector = model._state.engine.variables(), model._state._detector
        names = x.get("compared", list(variables))
        decisions = None
        if detector is not None:
            decisions = [
                detector.is_in_distribution([array(f)[np.newaxis]], array(p)[np.newaxis])
                for f, p in zip(x["features"], x["probes"], strict=False)
            ]
    return {
        "variables": {name: variables[name] for name in names},
        "expected_accuracy": history.expected_accuracy,
        "calibration_error": history.calibration_error,
        "detector": None
        if detector is None
        else {
            "entropy_weight": detector.entropy_weight,
            "threshold": detector.threshold,
            "decisions": decisions,
        },
    }


def fit_layers(x: Values) -> Values:
    with _opened(x) as model:
        history = model.fit(**x["options"], seed=x["seed"], depth=x["depth"])
        detector = model._state._detector
        return {
            "depth": history.depth,
            "steps": history.steps,
            "expected_accuracy": history.expected_accuracy,
            "calibration_error": history.calibration_error,
            "variables": model._state.engine.variables(),
            "detector": detector
            and {"entropy_weight": detector.entropy_weight, "threshold": detector.threshold},
        }


def continue_training(x: Values) -> Values:
    """Train, load the checkpoint into a new model with other samples, and train that."""
    with TemporaryDirectory() as folder:
        checkpoint = Path(folder) / "first.ckpt"
        with _opened({**x["first"], "model": x["model"]}) as model:
            model.fit(seed=x["seed"])
            model.save(checkpoint)
        with _opened(x, checkpoint) as model:
            added, detector = model._state.engine.variables(), model._state._detector
            assert detector is not None
            scores = [
                detector.score([array(p["features"])[np.newaxis]], array(p["output"])[np.newaxis])
                for p in x["probes"]
            ]
            model.fit(seed=x["seed"], warm_start=True)
            variables = model._state.engine.variables()
    return {"added": {"variables": added, "scores": scores}, "variables": variables}
