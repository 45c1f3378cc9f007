"""Split the last layers from a base, so that a head can train them."""

from __future__ import annotations

from collections.abc import Sequence

from ..errors import FeatureError
from ..graph import Graph, Op, Tensor, copy_graph
from .dataflow import Dataflow, can_be_feature
from .frontiers import frontiers

__all__ = ["count_layers", "split_layers"]


def count_layers(graph: Graph) -> int:
    """Return the number of layers with weights of a base."""
    flow = Dataflow.of(graph)
    return sum(map(flow.is_weighted, flow.ops))


def split_layers(graph: Graph, count: int) -> Graph:
    """Move the last layers with weights of a base to a graph of their own.

    Before: a base that ends at its features. After: the base ends before these layers, at one to
    four tensors, and the new graph computes the features from them. Of the possible cuts, it is the
    one with the fewest layers behind it, then that with the fewest numbers.

    Args:
        graph: the base, with batch 1; changed in place.
        count: number of layers with weights that the new graph has at least.

    Returns:
        The new graph; its inputs are the new features of the base.

    Raises:
        FeatureError: If the base has fewer layers.
    """
    flow = Dataflow.of(graph)
    layers = [op for op in flow.ops if flow.is_weighted(op)]
    if count > len(layers):
        raise FeatureError(
            f"the base has {len(layers)} layers with weights, expected at least {count} to train: "
            f"train fewer (last={len(layers)}, --fine-tune {len(layers)})"
        )
    tensors = _choose_cut(flow, layers, count)
    behind, copies = copy_graph(graph)
    before = flow.ops_before(tensors)
    behind.remove([new for old, new in zip(graph.ops, behind.ops, strict=True) if old in before])
    behind.inputs = [copies[tensor] for tensor in tensors]
    behind.prune()
    graph.outputs = list(tensors)
    graph.prune()
    return behind


def _choose_cut(flow: Dataflow, layers: Sequence[Op], count: int) -> tuple[Tensor, ...]:
    """Return the tensors of the cheapest cut that is before the last layers."""
    possible = {tensor for tensor in flow.tensors if can_be_feature(tensor)}
    cuts = {}
    for tensors in frontiers(flow, possible):
        before = flow.ops_before(tensors)
        behind = sum(op not in before for op in layers)
        if behind >= count and not set(layers[-count:]) & before:
            cuts[tensors] = (behind, sum(tensor.size for tensor in tensors))
    return min(cuts, key=cuts.__getitem__)
