"""The frontiers of a graph: tensors that every path from the inputs to the outputs crosses."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from ..graph import Tensor
from .dataflow import Dataflow

__all__ = ["MOST_TENSORS", "frontiers"]

MOST_TENSORS = 4
"""Largest number of tensors of one cut."""


def frontiers(
    flow: Dataflow, features: Collection[Tensor], *, max_tensors: int = MOST_TENSORS
) -> Iterator[tuple[Tensor, ...]]:
    """Yield the inputs, then after each op the tensors that are computed and still needed.

    Args:
        flow: the dataflow of a base.
        features: the tensors that can be features.
        max_tensors: largest number of tensors of one frontier. Default: 4.
    """
    last_use = {t: i for i, op in enumerate(flow.ops) for t in op.inputs if t in flow.tensors}
    last_use.update(dict.fromkeys(flow.graph.outputs, len(flow.ops)))
    alive = {tensor: None for tensor in flow.graph.inputs if tensor in last_use}
    for index, op in enumerate([None, *flow.ops]):
        if op is not None:
            alive.update((t, None) for t in op.outputs if last_use.get(t, -1) >= index)
            alive = {tensor: None for tensor in alive if last_use[tensor] >= index}
        if 0 < len(alive) <= max_tensors and all(t in features for t in alive):
            yield tuple(alive)
