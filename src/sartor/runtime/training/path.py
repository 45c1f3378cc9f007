"""The stages of a training: a regularization path from strong to weak weight decay.

The best weight decay depends on the features and on the number of samples: photos through a good
base need a thousand times more than spoken digits through a weak one. So the training is a path of
stages (Friedman, Hastie & Tibshirani, 2010). Each stage starts from the weights of the one before,
with an eighth of its weight decay. Cross-validation finds the stage to end at.
"""

from __future__ import annotations

import math

from ...contract.manifest import Manifest
from .config import TrainingConfig
from .schedule import Schedule, class_factor, stable_rate

__all__ = ["training_stages"]

_STRENGTHS = (2.0, 1 / 4, 1 / 32)  # weight decay times the number of samples
_MIN_STEPS, _MAX_STEPS = 96, 300  # of a stage
_CLASS_STEPS = 500  # of a stage at most, divided by `class_factor`
_MIN_EPOCHS = 2  # of a stage: one is too few if there are many batches
_STEPS = 0.1  # of a stage, times samples / strength: weights with less effect decay more slowly
_SLOW = 3  # times as many steps without momentum
_SINGLE_MIN_STEPS, _SINGLE_EPOCHS, _SINGLE_MAX_STEPS = 400, 60, 4000  # of a training of one stage
_SINGLE_STRENGTH = 1.0


def training_stages(
    manifest: Manifest,
    config: TrainingConfig,
    *,
    rows: int,
    samples: float,
    outputs: int,
    rate: float,
    has_default_rate: bool,
    warm: bool,
) -> tuple[Schedule, ...]:
    """Return the stages of a training, of which the first ones are run.

    There is one stage if the options or the manifest limit the training or state the weight decay,
    if it continues from earlier weights, and for heads without normalization and regressions.

    Args:
        manifest: manifest of the model.
        config: options.
        rows: number of rows of the data set.
        samples: effective number of samples (see `Dataset.effective_sample_size`).
        outputs: number of active classes.
        rate: learning rate of the first step.
        has_default_rate: whether `rate` is the default of the features.
        warm: whether the training continues from earlier weights.
    """
    batches = math.ceil(rows / manifest.batch_size)
    step = manifest.optimizer.step
    slow = _SLOW if not step.adaptive and step.momentum == 0 else 1
    is_mean = manifest.weights_per_output  # the loss is the mean over the outputs

    def stage(steps: float, weight_decay: float | None) -> Schedule:
        epochs = config.epochs or max(_MIN_EPOCHS, math.ceil(slow * steps / batches))
        peak = rate
        if weight_decay and has_default_rate and not step.adaptive:  # it adds to the curvature
            peak = 1 / (1 / rate + weight_decay / stable_rate(manifest))
        return Schedule(epochs, batches, peak, config.decay, weight_decay)

    def weight_decay(strength: float) -> float:
        return strength / samples / (outputs if is_mean else 1)

    stated = manifest.weight_decay if config.weight_decay is None else config.weight_decay
    has_path = manifest.head.feature_norm is not None and manifest.task != "regression"
    if stated is None and has_path and not warm and not config.is_limited:
        most = min(_MAX_STEPS, _CLASS_STEPS / class_factor(manifest, outputs))
        return tuple(
            stage(_clamp(_STEPS * samples / each, _MIN_STEPS, most), weight_decay(each))
            for each in _STRENGTHS
        )
    if stated is None and not warm:
        stated = weight_decay(_SINGLE_STRENGTH) if has_path else 0.0
    steps = _clamp(_SINGLE_EPOCHS * batches, _SINGLE_MIN_STEPS, _SINGLE_MAX_STEPS)
    return (stage(steps, stated),)


def _clamp(value: float, lowest: float, highest: float) -> float:
    return min(max(value, lowest), highest)
