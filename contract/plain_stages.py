"""The stages and learning rates of docs/recipe.md in plain NumPy, written from that page alone."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from plain import Floats

from sartor.contract.manifest import Manifest

__all__ = ["NOTHING_STATED", "Head", "Options", "Stage", "rates", "stages"]

_STAGES = 3


@dataclass(frozen=True)
class Head:
    """The values of a manifest that decide on the stages.

    Attributes:
        has_norm: whether the head has a `feature_norm`.
        mean_of_outputs: whether the loss is the mean over the outputs.
    """

    momentum: float
    nesterov: bool
    adaptive: bool
    curvature: float
    has_norm: bool
    regression: bool
    mean_of_outputs: bool
    batch_size: int

    @classmethod
    def of(cls, manifest: Manifest) -> Head:
        """Return the values of a manifest."""
        step = manifest.optimizer.step
        return cls(
            step.momentum, step.nesterov, step.adaptive, manifest.loss.curvature,
            manifest.head.feature_norm is not None, manifest.task == "regression",
            manifest.weights_per_output, manifest.batch_size,
        )  # fmt: skip


@dataclass(frozen=True)
class Options:
    """What an app or a manifest states; None by default."""

    epochs: int | None = None
    learning_rate: float | None = None
    weight_decay: float | None = None
    patience: int | None = None

    def or_of(self, manifest: Manifest) -> Options:
        """Return the options, and those of a manifest for the others."""
        rate, decay = self.learning_rate, self.weight_decay
        return Options(
            self.epochs,
            manifest.learning_rate if rate is None else rate,
            manifest.weight_decay if decay is None else decay,
            self.patience,
        )


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
    batches: Sequence[tuple[Floats, Floats]],
    rows: int,
    effective: float,
    classes: int,
    target_rms: float = 1.0,
    warm: bool = False,
) -> list[Stage]:
    """Return the stages of a training.

    Args:
        head: values of the manifest.
        options: what the app states.
        batches: the first batches: rows z [n, F], and their weights [n].
        rows: N.
        effective: effective number of samples.
        classes: number of classes of the model.
        target_rms: root mean square of the targets of a regression.
        warm: whether it is a warm start.
    """
    outputs = classes if head.mean_of_outputs else 1
    parts = math.ceil(rows / head.batch_size)
    slow = 3 if not head.adaptive and head.momentum == 0 else 1
    stable = _stable(head)
    bound = head.curvature * max(_bound(z, w) for z, w in batches) / outputs
    many = 1.0 if head.mean_of_outputs or head.adaptive else min(max(classes / 16, 1), 2)

    def stage(steps: float, decay: float | None) -> Stage:
        epochs = options.epochs or max(2, math.ceil(slow * steps / parts))
        if options.learning_rate is not None:
            peak = options.learning_rate
        elif head.adaptive:
            z = np.concatenate([z for z, _ in batches])
            peak = 1 / (1 + float(np.abs(z).sum(axis=1).mean()))
            peak *= target_rms if head.regression else 1
        else:
            peak = 1 / (2 * bound / many / stable + (decay or 0) / stable)
        return Stage(epochs, parts, peak, decay)

    plain = head.regression or not head.has_norm
    is_limited = options.epochs or options.patience or options.weight_decay is not None
    if is_limited or warm or plain:
        decay = options.weight_decay
        if decay is None and not warm:
            decay = 0.0 if plain else 1 / effective / outputs
        return [stage(min(max(60 * parts, 400), 4000), decay)]
    result = []
    for s in range(_STAGES):
        strength = 2 / 8**s
        steps = min(max(0.1 * effective / strength, 96), 300, 500 / many)
        result.append(stage(steps, strength / effective / outputs))
    return result


def _stable(head: Head) -> float:
    if head.regression:
        return 2 * (1 - head.momentum)
    stable = 2 * (1 + head.momentum)
    return stable / (1 + 2 * head.momentum) if head.nesterov else stable


def _bound(z: Floats, w: Floats) -> float:
    """Return an upper bound of the largest eigenvalue of the second moments of a batch."""
    products = (1 + z @ z.T) ** 2
    return float(np.sqrt((w[:, None] * w * products).sum()) / max(w.sum(), 1e-6))


def rates(peak: float, steps: int) -> list[float]:
    """Return the learning rate of each step of a stage."""
    return [peak * (1 + math.cos(math.pi * i / steps)) / 2 for i in range(steps)]
