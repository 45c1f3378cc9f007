"""A search for the learning rate of heads whose curvature is unknown.

For a linear head, the largest stable rate follows from the lengths of the features. For a head of a
user it depends on every layer: batch normalization with a small variance makes it ten times lower,
a rescaling of raw pixels a million times higher. So some rates are tried for a few steps
(Smith, 2017).
"""

from __future__ import annotations

import math

from ...errors import TrainingError
from ..data.dataset import Dataset
from .control import Control
from .schedule import Schedule
from .trainer import Trainer
from .training_model import TrainingModel

__all__ = ["search_layer_rate", "search_rate"]

_STEPS, _BATCHES = 20, 4  # of each trial
_TOP, _TOP_ADAPTIVE = 1.0, 0.1  # the first rate, or 16 times the default if that is higher
_FACTOR, _TRIALS = 1 / 4, 14
_TOLERANCE = 0.01  # of the loss before: such losses are equally good
_PATIENCE = 2  # rates no better than the best: losses of rates that are too high are erratic
_STABLE_FRACTION = 0.5  # of the rate with the lowest loss
_TIME_FRACTION = 0.25  # of a time limit
_LAYER_TOP, _LAYER_TOP_ADAPTIVE, _LAYER_TRIALS = 0.25, 8e-3, 5  # of tuned layers


def search_rate(
    model: TrainingModel, samples: Dataset, default: float, control: Control, seed: int
) -> float:
    """Return half of the learning rate that lowers the loss most in twenty steps.

    Rates are tried from high to low, each a quarter of the one before, until the loss of two in
    succession is higher again. Of rates that are equally good, the lowest counts.

    Args:
        model: holds the starting weights, before and after the call.
        samples: training samples.
        default: learning rate to return if no rate lowers the loss, or there is no time.
        control: pauses and stops the search.
        seed: seed of the order of the samples.
    """
    start = model.engine.variables()
    size = model.manifest.batch_size
    few = samples.take(samples.stratified_rows(_BATCHES * size, seed))
    lowest, best, worse = model.evaluate(few)[0], None, 0
    tolerance = _TOLERANCE * lowest
    rate = max(_TOP_ADAPTIVE if model.manifest.optimizer.step.adaptive else _TOP, 16 * default)
    for _ in range(_TRIALS):
        loss = _trial(model, few, rate, control, seed)
        model.engine.restore(start)
        if loss < lowest + (0 if best is None else tolerance):
            lowest, best, worse = min(loss, lowest), rate, 0
        elif best is not None:
            worse += 1
        if worse == _PATIENCE:
            break
        if control.stopped or control.used > _TIME_FRACTION:
            break
        rate *= _FACTOR
    return default if best is None else _STABLE_FRACTION * best


def search_layer_rate(model: TrainingModel, samples: Dataset, control: Control, seed: int) -> float:
    """Return a learning rate for tuned layers with a trained head.

    It is the highest of some rates, each a quarter of the one before, at which twenty steps do not
    raise the loss.

    Args:
        model: holds the starting weights, before and after the call.
        samples: training samples.
        control: pauses and stops the search.
        seed: seed of the order of the samples.
    """
    start = model.engine.variables()
    few = samples.take(samples.stratified_rows(_BATCHES * model.manifest.batch_size, seed))
    before = model.evaluate(few)[0]
    is_adaptive = model.manifest.optimizer.step.adaptive
    rate = _LAYER_TOP_ADAPTIVE if is_adaptive else _LAYER_TOP
    for _ in range(_LAYER_TRIALS):
        loss = _trial(model, few, rate, control, seed)
        model.engine.restore(start)
        if loss <= before or not control.wait():
            break
        rate *= _FACTOR
    return rate


def _trial(
    model: TrainingModel, samples: Dataset, rate: float, control: Control, seed: int
) -> float:
    """Train some steps at a constant rate, and return the loss; infinity if that failed."""
    batches = math.ceil(len(samples) / model.manifest.batch_size)
    schedule = Schedule(math.ceil(_STEPS / batches), batches, rate, "constant")
    try:
        trainer = Trainer(model.engine, model.manifest, samples, control, seed)
        trainer.run(schedule)
    except TrainingError:
        return math.inf
    loss = math.inf if trainer.stopped else model.evaluate(samples)[0]
    return loss if math.isfinite(loss) else math.inf
