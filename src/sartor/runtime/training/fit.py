"""One training from beginning to end: train, publish the weights, cross-validate."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from ...contract.manifest import Manifest
from ...contract.names import TEMPERATURE
from ...errors import TrainingError
from ...litert import Engine
from ..classes import ClassWeights
from ..confidence.cross_validation import CrossValidation, cross_validate
from ..confidence.out_of_distribution import OODDetector
from ..data.batches import Batch, evaluate_batches
from ..data.dataset import Dataset, training_dataset
from ..results.records import Epoch, History
from ..store import SampleSet
from .config import TrainingConfig
from .control import Control
from .data import TrainingData
from .schedule import default_schedule
from .trainer import EpochCallback, Trainer

__all__ = ["Publish", "TrainingModel", "train"]

Variables = Mapping[str, np.ndarray]
Publish = Callable[[Variables, "OODDetector | None"], None]
"""Takes the variables and the out-of-distribution detector that predictions use from now on."""

_PUBLISH_INTERVAL = 0.1  # seconds; publishing more often would keep predictions waiting


class TrainingModel:
    """A second copy of the model, which only training uses.

    Args:
        path: path of the model file.
        manifest: manifest of the file.

    Attributes:
        manifest: manifest of the file.
        engine: engine that holds the copy.
        initial: variable name → initial value in the file.
        class_weights: sets the weights of classes in `engine`.
    """

    def __init__(self, path: Path, manifest: Manifest) -> None:
        self.manifest = manifest
        self.engine = Engine(path, manifest, threads=1)  # two are slower for steps this small
        self.initial = self.engine.initial_variables()
        self.class_weights = ClassWeights(self.engine, manifest)
        self._batch = Batch(manifest)

    def evaluate(self, samples: Dataset) -> tuple[float, np.ndarray]:
        """Return the mean loss and the outputs [N, C] of samples."""
        return evaluate_batches(self.engine, self._batch, samples)

    def close(self) -> None:
        """Release the memory."""
        self.engine.close()


def train(
    model: TrainingModel,
    config: TrainingConfig,
    data: TrainingData,
    control: Control,
    publish: Publish,
    on_epoch: EpochCallback | None = None,
) -> History:
    """Train a head and publish its weights: now and then during training, and at the end.

    If training is stopped, the weights with the lower loss are published: the new ones or those
    before the training. If it fails, those before the training are.

    Args:
        model: copy of the model that is trained.
        config: options.
        data: samples and starting weights.
        control: pauses and stops the training.
        publish: called with each set of weights for predictions.
        on_epoch: called after each epoch; returning False stops the training.

    Raises:
        TrainingError: If the loss is no longer finite.
    """
    try:
        history = _run_epochs(
            model, config, data, control, _publish_epochs(model, data, publish, on_epoch)
        )
    except TrainingError:
        publish(data.variables, data.detector)
        raise
    except BaseException:  # of the callback
        publish(_better_variables(model, data), data.detector)
        raise
    variables = _better_variables(model, data) if history.stopped else _variables(model, data)
    publish(variables, data.detector)
    if history.stopped or data.warm or config.only_measures:
        return history
    validation = _cross_validate(model, config, data, control)
    if validation is None:
        return history
    temperature = np.full(1, validation.temperature, np.float32)
    publish({**variables, TEMPERATURE: temperature}, validation.ood_detector)
    return replace(
        history,
        expected_accuracy=validation.accuracy,
        calibration_error=validation.calibration_error,
    )


def _publish_epochs(
    model: TrainingModel, data: TrainingData, publish: Publish, on_epoch: EpochCallback | None
) -> EpochCallback:
    """Return a callback that publishes at the ends of epochs, and then calls `on_epoch`."""
    last = time.monotonic()

    def end_epoch(epoch: Epoch) -> object:
        nonlocal last
        if time.monotonic() - last >= _PUBLISH_INTERVAL:
            publish(_variables(model, data), data.detector)
            last = time.monotonic()
        return None if on_epoch is None else on_epoch(epoch)

    return end_epoch


def _run_epochs(
    model: TrainingModel,
    config: TrainingConfig,
    data: TrainingData,
    control: Control,
    on_epoch: EpochCallback | None = None,
) -> History:
    """Train from the starting weights of `data`."""
    samples = _dataset(model, data, data.samples)
    model.engine.restore(data.variables)
    rows = samples.stratified_rows(model.manifest.batch_size, config.seed)
    mixed = [each[rows] for each in samples.features]
    if not data.warm and not config.only_measures:
        _start_from_scratch(model, data, samples, mixed)
    schedule = default_schedule(
        model.manifest,
        samples.features,
        samples=samples.effective_sample_size,
        outputs=len(data.class_indices),
        magnitude=samples.target_rms,
        length=model.class_weights.normalized_length(mixed) if data.warm else None,
        epochs=config.epochs,
        learning_rate=config.learning_rate,
        decay=config.decay,
    )
    held_out = None if data.held_out is None else _dataset(model, data, data.held_out)
    trainer = Trainer(
        model.engine, model.manifest, samples, schedule, control, held_out, config.patience
    )
    return trainer.run(config.seed, on_epoch)


def _start_from_scratch(
    model: TrainingModel, data: TrainingData, samples: Dataset, mixed: Sequence[np.ndarray]
) -> None:
    """Reset the model, set its normalization from mixed samples, and imprint each class.

    Continuing from old weights while samples come in costs up to three points of accuracy.
    """
    model.engine.restore(model.initial)
    model.class_weights.set_normalization(mixed)
    for index in data.class_indices.values():
        model.class_weights.clear(index)
    for index in data.class_indices.values():
        rows = samples.targets[:, index] > 0
        if rows.any():
            model.class_weights.imprint(index, [each[rows] for each in samples.features])


def _variables(model: TrainingModel, data: TrainingData) -> Variables:
    """Return the present weights, with the temperature before the training."""
    return {**model.engine.variables(), TEMPERATURE: data.variables[TEMPERATURE]}


def _better_variables(model: TrainingModel, data: TrainingData) -> Variables:
    """Return the present weights if their loss is lower than before the training, else those."""
    present, samples = _variables(model, data), _dataset(model, data, data.samples)
    losses = []
    for variables in (present, data.variables):
        model.engine.restore(variables)
        losses.append(model.evaluate(samples)[0])
    return present if losses[0] < losses[1] else data.variables


def _cross_validate(
    model: TrainingModel, config: TrainingConfig, data: TrainingData, control: Control
) -> CrossValidation | None:
    """Train on parts of the samples and measure on the others; None if it was stopped.

    The model must hold the weights that were trained on all samples, at temperature 1.
    """

    def outputs_of(training: np.ndarray, held_out: np.ndarray) -> np.ndarray | None:
        if _run_epochs(model, config, data.part(training), control).stopped:
            return None
        return model.evaluate(_dataset(model, data, data.samples.take(held_out)))[1]

    samples = _dataset(model, data, data.samples)
    _, outputs = model.evaluate(samples)
    return cross_validate(model.manifest, samples, outputs, outputs_of, config.seed)


def _dataset(model: TrainingModel, data: TrainingData, samples: SampleSet) -> Dataset:
    return training_dataset(model.manifest, samples, data.class_indices)
