"""One training of a head from beginning to end: train, publish the weights, cross-validate."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace

from ...errors import TrainingError
from ..confidence.out_of_distribution import OODDetector
from ..results.records import Epoch, History
from .config import TrainingConfig
from .control import Control
from .data import TrainingData, Variables
from .staged import StagedTraining
from .trainer import EpochCallback
from .training_model import TrainingModel
from .validation import Selection, join_names, select_stage, validate

__all__ = ["HeadTraining", "Publish", "train_head"]

Publish = Callable[[Variables, "OODDetector | None"], None]
"""Takes the variables and the out-of-distribution detector that predictions use from now on."""

_PUBLISH_INTERVAL = 0.1  # seconds; publishing more often would keep predictions waiting


@dataclass(frozen=True)
class HeadTraining:
    """The result of a training of a head.

    Attributes:
        history: its history.
        variables: the trained weights.
        config: its options, with the learning rate that was searched.
        selection: the stage at which it ended, and the outputs that selected it; None without a
            cross-validation.
    """

    history: History
    variables: Variables
    config: TrainingConfig
    selection: Selection | None = None


def train_head(
    model: TrainingModel,
    config: TrainingConfig,
    data: TrainingData,
    control: Control,
    publish: Publish,
    on_epoch: EpochCallback | None = None,
) -> HeadTraining:
    """Train a head and publish its weights: now and then during training, and at the end.

    If training is stopped, the weights with the lower loss are published: the new ones or those
    before the training. If it fails, those before the training are.

    Args:
        model: copy of the model, for training.
        config: options.
        data: samples and starting weights.
        control: pauses and stops the training.
        publish: called with each set of weights for predictions.
        on_epoch: called after each epoch; returning False stops the training.

    Raises:
        TrainingError: If the loss rises, or is no longer finite.
    """
    training = StagedTraining(model, config, data, control)
    on_epoch = _publish_epochs(model, data, publish, on_epoch)
    try:
        selection = _run_stages(training, model, data, control, on_epoch)
    except TrainingError:
        publish(data.variables, data.detector)
        raise
    except BaseException:  # of the callback
        publish(_better_variables(model, data), data.detector)
        raise
    history = replace(training.history, warnings=_warnings(data))
    variables = _better_variables(model, data) if history.stopped else model.variables(data)
    publish(variables, data.detector)
    if history.stopped or selection is None:
        return HeadTraining(history, variables, training.config, selection)
    validation = validate(model, data, selection, config)
    publish({**variables, **validation.variables}, validation.detector)
    history = replace(
        history,
        expected_accuracy=validation.accuracy,
        calibration_error=validation.calibration_error,
        warnings=(*history.warnings, *validation.warnings),
    )
    return HeadTraining(history, variables, training.config, selection)


def _run_stages(
    training: StagedTraining,
    model: TrainingModel,
    data: TrainingData,
    control: Control,
    on_epoch: EpochCallback,
) -> Selection | None:
    """Run the first stage, select the last one by cross-validation, and run those up to it.

    Returns:
        The selection; None without a cross-validation.
    """
    training.run(on_epoch, sum(stage.epochs for stage in training.stages))
    if training.stopped or data.warm:
        return None
    selection = select_stage(model, training.config, data, control, training.history)
    training.restore()
    if selection is None:
        return None
    stages = training.stages[: selection.stages]
    while training.completed < len(stages) and not training.stopped:
        training.run(on_epoch, sum(stage.epochs for stage in stages))
    return selection


def _publish_epochs(
    model: TrainingModel, data: TrainingData, publish: Publish, on_epoch: EpochCallback | None
) -> EpochCallback:
    """Return a callback that publishes at the ends of epochs, and then calls `on_epoch`."""
    last = time.monotonic()

    def end_epoch(epoch: Epoch) -> object:
        nonlocal last
        if time.monotonic() - last >= _PUBLISH_INTERVAL:
            publish(model.variables(data), data.detector)
            last = time.monotonic()
        return None if on_epoch is None else on_epoch(epoch)

    return end_epoch


def _better_variables(model: TrainingModel, data: TrainingData) -> Variables:
    """Return the present weights if their loss is lower than before the training, else those."""
    present, samples = model.variables(data), model.training_samples(data)
    losses = []
    for variables in (present, data.variables):
        model.engine.restore(variables)
        losses.append(model.evaluate(samples)[0])
    return present if losses[0] < losses[1] else data.variables


def _warnings(data: TrainingData) -> tuple[str, ...]:
    """Return a warning about classes that the training may have damaged."""
    if not data.absent:
        return ()
    return (
        f"there are no samples of {join_names(data.absent)}: training continued from the weights "
        "in use, and the accuracy on these classes may have fallen. Add samples of them, and train "
        "again",
    )
