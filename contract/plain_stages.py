"""The stages and learning rates of docs/recipe.md in plain NumPy, written from that page alone."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from plain import Floats

from sartor.contract.manifest import Manifest

__all__ = ["NOTHING_STATED", "Head", "Options", "Stage", "rates", "stages"]

_STAGES = 5


@dataclass(frozen=True)
class Head:
    """The values of a manifest that decide on the stages.

    Attributes:
        feature_norm: norm of the normalized features; None if the head has no normalization.
        mean_of_outputs: whether the loss is the mean over the outputs.
    """

    momentum: float
    nesterov: bool
    adaptive: bool
    curvature: float
    feature_norm: float | None
    regression: bool
    mean_of_outputs: bool
    batch_size: int

    @classmethod
    def of(cls, manifest: Manifest) -> Head:
        """Return the values of a manifest."""
        step = manifest.optimizer.step
        return cls(
            step.momentum, step.nesterov, step.adaptive, manifest.loss.curvature,
            manifest.head.feature_norm, manifest.task == "regression",
            manifest.weights_per_output, manifest.batch_size,
        )  # fmt: skip


@dataclass(frozen=True)
class Options:
    """What an app or a manifest states; None by default."""

    epochs: int | None = None
    learning_rate: float | None = None
    weight_decay: float | None = None


NOTHING_STATED = Options()


@dataclass(frozen=True)
class Stage:
    """A stage: epochs of `batches` steps, the peak of the learning rate, and the weight decay.

    The weight decay None is that of the variables, in a warm start.
    """

    epochs: int
    batches: int
    peak: float
    weight_decay: float | None

    @property
    def steps(self) -> int:
        """Number of steps."""
        return self.epochs * self.batches


def stages(
    head: Head,
    options: Options,
    *,
    features: Floats,
    rows: int,
    effective: float,
    classes: int,
    target_rms: float = 1.0,
    warm_norm: float | None = None,
) -> list[Stage]:
    """Return the stages of a training.

    Args:
        head: values of the manifest.
        options: what the app states.
        features: [N, F], the features of all rows.
        rows: N.
        effective: effective number of samples.
        classes: number of classes of the model.
        target_rms: root mean square of the targets of a regression.
        warm_norm: in a warm start, the norm of the mixed rows after the normalization in use.
    """
    outputs = classes if head.mean_of_outputs else 1
    batches = math.ceil(rows / head.batch_size)
    slow = 3 if not head.adaptive and head.momentum == 0 else 1
    stable = _stable(head)
    bound = _bound(head, features, warm_norm) / outputs

    def stage(steps: float, decay: float | None, factor: float) -> Stage:
        epochs = options.epochs or math.ceil(slow * steps / batches)
        if options.learning_rate is not None:
            peak = options.learning_rate
        elif head.adaptive:
            peak = _adaptive_peak(head, features, warm_norm)
            peak *= target_rms if head.regression else 1
        else:
            peak = 1 / (factor * bound / stable + (decay or 0) / stable)
        return Stage(epochs, batches, peak, decay)

    single = options.epochs or options.weight_decay is not None or warm_norm is not None
    plain = head.regression or head.feature_norm is None
    if single or plain:
        decay = options.weight_decay
        if decay is None and warm_norm is None:
            decay = 0.0 if plain else 1 / effective / outputs
        return [stage(min(max(60 * batches, 400), 4000), decay, 2)]
    result = []
    for s in range(_STAGES):
        strength = 4 / 4**s
        steps = min(max(0.075 * effective / strength, 128), 500)
        result.append(stage(steps, strength / effective / outputs, 1 / 2))
    return result


def _stable(head: Head) -> float:
    if head.regression:
        return 2 * (1 - head.momentum)
    stable = 2 * (1 + head.momentum)
    return stable / (1 + 2 * head.momentum) if head.nesterov else stable


def _norm(head: Head, warm_norm: float | None) -> float | None:
    return None if head.feature_norm is None else max(head.feature_norm, warm_norm or 0)


def _bound(head: Head, features: Floats, warm_norm: float | None) -> float:
    norm = _norm(head, warm_norm)
    square = float((features**2).sum(axis=1).mean()) if norm is None else norm**2
    return head.curvature * (1 + square)


def _adaptive_peak(head: Head, features: Floats, warm_norm: float | None) -> float:
    norm = _norm(head, warm_norm)
    if norm is not None:
        features = features * norm / np.sqrt((features**2).sum(axis=1, keepdims=True))
    return float(1 / (1 + np.abs(features).sum(axis=1).mean()))


def rates(peak: float, steps: int) -> list[float]:
    """Return the learning rate of each step of a stage."""
    return [peak * (1 + math.cos(math.pi * i / steps)) / 2 for i in range(steps)]
