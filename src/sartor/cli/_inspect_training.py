"""Print the predicted cost of training for `sartor inspect --classes`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ._inspect_format import format_number, print_wrapped
from .report import print_table

if TYPE_CHECKING:
    from ..inspection import TrainingDepth, TrainingPrediction

__all__ = ["MOST_LAYERS", "print_training"]

MOST_LAYERS = 11
"""Layers of the short table."""


def print_training(prediction: TrainingPrediction) -> None:
    """Print a row for each number of the last layers that are trained."""
    if prediction.depths:
        print_table(
            ("layers", "bytes per\nsample", "trained", "memory", "multiply-\nadds"),
            list(map(_row, prediction.depths)),
            title=f"training {prediction.classes} classes, batch {prediction.batch_size}, "
            f"{prediction.optimizer}",
        )
    more = prediction.layers + 1 - len(prediction.depths)
    if prediction.end is not None:
        print_wrapped(f"more layers cannot be trained: {prediction.end}")
    elif more:
        print_wrapped(f"{more} more rows: use --all")


def _row(depth: TrainingDepth) -> tuple[str, ...]:
    cost = depth.cost
    return (
        str(depth.last) if depth.last else "head",
        f"{cost.sample_bytes:,}",
        format_number(cost.parameters),
        f"{format_number(cost.memory)}B",
        format_number(cost.multiply_adds),
    )
