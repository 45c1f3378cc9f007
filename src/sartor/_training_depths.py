"""Predict the cost of training a head alone, and with each number of the last layers."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import suppress
from copy import copy
from dataclasses import dataclass, replace

from ._conversion_options import ConversionOptions
from ._make_plan import attach_signatures, make_plan
from .costs import TrainingCost, training_cost
from .errors import ConversionError
from .graph import copy_graph
from .heads import FineTune, Head
from .passes import (
    PreparedBase,
    choose_normalization,
    find_layers,
    tune_layers,
)

__all__ = ["TrainingDepth", "choose_depth", "format_bytes", "predict_depths"]

_FUTILE = 2  # more layers take more memory, but not always: a later cut can cross more tensors


@dataclass(frozen=True)
class TrainingDepth:
    """The prediction for one depth.

    Attributes:
        last: number of the last layers with weights that are trained; 0 for the head alone.
        shapes: shapes of a sample's features.
        cost: cost of one training step.
    """

    last: int
    shapes: tuple[tuple[int, ...], ...]
    cost: TrainingCost


def predict_depths(
    prepared: PreparedBase, options: ConversionOptions, most: int | None = None
) -> Iterator[TrainingDepth]:
    """Yield the prediction for the head alone, then with the last layer, the last two and so on.

    Args:
        prepared: the base; not changed.
        options: options of the conversion. Its `fine_tune` states how layers are trained; default:
            `FineTune()`.
        most: largest number of layers. Default: all.

    Raises:
        ConversionError: If a layer cannot be trained. The depths before it are yielded.
    """
    layers = len(find_layers(prepared.graph))
    for last in range(1 + (layers if most is None else min(most, layers))):
        yield _predict(prepared, options, last)


def choose_depth(
    prepared: PreparedBase, options: ConversionOptions, budget: int
) -> tuple[int, str]:
    """Return the largest number of the last layers whose training fits a memory budget.

    Args:
        prepared: the base; not changed.
        options: options of the conversion, with `fine_tune`.
        budget: bytes that training may take (`TrainingCost.memory`).

    Returns:
        The number, 0 for the head alone, and one line that states why.

    Raises:
        ConversionError: If the head alone needs more.
    """
    chosen: TrainingDepth | None = None
    smallest: TrainingDepth | None = None
    rejected: TrainingDepth | None = None
    with suppress(ConversionError):  # the layers before one that cannot be trained
        for depth in predict_depths(prepared, options):
            smallest = smallest or depth
            if depth.cost.memory <= budget:
                chosen, rejected = depth, None
            else:
                rejected = rejected or depth
            if depth.cost.memory > _FUTILE * budget:
                break
    if smallest is None:
        raise ConversionError("the head cannot be trained on these features")
    if chosen is None:
        need = math.ceil(smallest.cost.memory / 1e6)
        raise ConversionError(
            f"training needs more memory than {format_bytes(budget)}: the head alone takes about "
            f"{format_bytes(smallest.cost.memory)}. Allow more (memory_budget={need}_000_000, "
            f"--memory-budget {need}MB), or take smaller batches (batch_size=, --batch-size)"
        )
    reason = f"training takes about {format_bytes(chosen.cost.memory)} of {format_bytes(budget)}"
    if rejected is not None:
        reason += f"; with {_layers(rejected.last)}, {format_bytes(rejected.cost.memory)}"
    return chosen.last, reason


def format_bytes(count: int) -> str:
    """Format a number of bytes, such as `64 MB`."""
    if count < 100_000:
        return f"{count:,} bytes"
    return f"{count / 1e6:,.{0 if count >= 100_000_000 else 1}f}".removesuffix(".0") + " MB"


def _layers(count: int) -> str:
    return "the last layer" if count == 1 else f"the last {count} layers"


def _predict(prepared: PreparedBase, options: ConversionOptions, last: int) -> TrainingDepth:
    prepared = _copy(prepared)
    fine_tune = None
    if last:
        fine_tune = replace(
            options.fine_tune or FineTune(), last=last, tensors=None, memory_budget=None
        )
    normalize = choose_normalization(prepared, fine_tune or options.head, options.normalize)
    head: Head = options.head
    if fine_tune is not None:
        tuned = replace(fine_tune, head=options.head)
        head, normalize = tune_layers(prepared, tuned, normalize=normalize), False
    plan = make_plan(prepared, options, head, normalize=normalize)
    attach_signatures(plan, prepared.graph)
    return TrainingDepth(last, tuple(spec.shape for spec in plan.features), training_cost(plan))


def _copy(prepared: PreparedBase) -> PreparedBase:
    """Return a base whose graph can be changed."""
    graph, _ = copy_graph(prepared.graph)
    model = copy(prepared.model)
    model.graphs = [graph if each is prepared.graph else each for each in prepared.model.graphs]
    model.signatures, model.files = [], {}
    return replace(prepared, model=model, graph=graph)
