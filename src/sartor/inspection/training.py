"""Predict the cost of training each number of the last layers of a model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from .._conversion_options import check_options
from .._training_depths import TrainingDepth, predict_depths
from ..bases import load_base
from ..costs import TrainingCost
from ..errors import ConversionError
from ..heads import FineTune
from ..optimizers import Optimizer
from ..passes import find_layers, prepare_base

__all__ = [
    "TrainingCost",
    "TrainingDepth",
    "TrainingOptions",
    "TrainingPrediction",
    "describe_training",
]


@dataclass(frozen=True)
class TrainingOptions:
    """The options of `convert` that determine the cost of training.

    Attributes:
        classes: class names, or the number of classes.
        batch_size: rows of one training step.
        optimizer: update rule. Default: `Adam()`, as for `FineTune`.
        layers: largest number of the last layers. Default: all.
    """

    classes: int | Sequence[str]
    batch_size: int = 32
    optimizer: Optimizer | None = None
    layers: int | None = None


@dataclass(frozen=True)
class TrainingPrediction:
    """The predicted cost of training.

    Attributes:
        classes: largest number of classes.
        batch_size: rows of one training step.
        optimizer: name of the optimizer.
        layers: number of layers with weights of the base.
        depths: the head alone, then with the last layer, the last two and so on.
        end: error of the first depth that cannot be trained, or None.
    """

    classes: int
    batch_size: int
    optimizer: str
    layers: int
    depths: tuple[TrainingDepth, ...]
    end: str | None


def describe_training(base: Path | bytes, options: TrainingOptions) -> TrainingPrediction:
    """Predict the cost of training a model, with features at its default cut.

    Args:
        base: path or content of a `.tflite` file.
        options: options of the conversion.

    Raises:
        ConversionError: If an option is invalid.
    """
    checked = check_options(
        classes=options.classes, head=FineTune(), optimizer=options.optimizer, features=None,
        capacity=None, batch_size=options.batch_size, mean=None, std=None, preprocessing=None,
        normalize=None, quantize="none", representative=None,
    )  # fmt: skip
    depths: list[TrainingDepth] = []
    end, layers = None, 0
    try:
        prepared = prepare_base(load_base(base), (), None, test_scaling=False)
        layers = len(find_layers(prepared.graph))
        for depth in predict_depths(prepared, checked, options.layers):
            depths.append(depth)
    except ConversionError as error:
        end = str(error)
    return TrainingPrediction(
        len(checked.classes),
        checked.batch_size,
        checked.optimizer.name,
        layers,
        tuple(depths),
        end,
    )
