"""Split layers from a base, so that a head can train them."""

from __future__ import annotations

from collections.abc import Collection

from ..errors import ConversionError
from ..graph import Graph, Op, Tensor, copy_graph, first_name
from .dataflow import Dataflow, can_be_feature
from .frontiers import MOST_TENSORS, frontiers

__all__ = ["find_layers", "split_layers"]


def find_layers(graph: Graph) -> list[Op]:
    """Return the layers with weights of a base, in the order of their execution."""
    flow = Dataflow.of(graph)
    return [op for op in flow.ops if flow.is_weighted(op)]


def split_layers(graph: Graph, layers: Collection[Op]) -> Graph:
    """Move layers of a base, and all ops behind them, to a graph of their own.

    Before: a base that ends at its features. After: the base ends before these layers, at one to
    four tensors, and the new graph computes the features from them. Of the possible cuts, it is the
    one with the fewest layers behind it, then that with the fewest numbers.

    Args:
        graph: the base, with batch 1; changed in place.
        layers: ops of the graph, at least one.

    Returns:
        The new graph; its inputs are the new features of the base.

    Raises:
        ConversionError: If no cut is before the layers.
    """
    flow = Dataflow.of(graph)
    tensors = _choose_cut(flow, layers)
    behind, copies = copy_graph(graph)
    before = flow.ops_before(tensors)
    behind.remove([new for old, new in zip(graph.ops, behind.ops, strict=True) if old in before])
    behind.inputs = [copies[tensor] for tensor in tensors]
    behind.prune()
    graph.outputs = list(tensors)
    graph.prune()
    return behind


def _choose_cut(flow: Dataflow, layers: Collection[Op]) -> tuple[Tensor, ...]:
    """Return the tensors of the cheapest cut that is before these layers."""
    possible = {
        tensor for tensor in flow.tensors if can_be_feature(tensor) and tensor.shape[:1] == (1,)
    }
    cuts = {}
    for tensors in frontiers(flow, possible):
        before = flow.ops_before(tensors)
        behind = sum(op not in before for op in flow.ops if flow.is_weighted(op))
        if before.isdisjoint(layers):
            cuts[tensors] = (behind, sum(tensor.size for tensor in tensors))
    if not cuts:
        first = next(op for op in flow.ops if op in layers)
        raise ConversionError(
            f"no cut of at most {MOST_TENSORS} float or quantized tensors is before the layer "
            f"{first_name(first.output)!r}: train fewer of the last layers (last=, --fine-tune)"
        )
    return min(cuts, key=cuts.__getitem__)
