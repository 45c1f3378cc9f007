"""Split layers from a base, so that a head can train them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Set
from dataclasses import dataclass

from ..errors import ConversionError
from ..graph import Graph, Op, Tensor, copy_graph, first_name
from .dataflow import Dataflow, can_be_feature
from .frontiers import MOST_TENSORS, frontiers

__all__ = ["find_layers", "propose_layers", "split_layers"]

_NEAR = 3  # layers


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
    tensors = _choose_cut(_find_cuts(graph), layers).tensors
    flow = Dataflow.of(graph)
    behind, copies = copy_graph(graph)
    before = flow.ops_before(tensors)
    behind.remove([new for old, new in zip(graph.ops, behind.ops, strict=True) if old in before])
    behind.inputs = [copies[tensor] for tensor in tensors]
    behind.prune()
    graph.outputs = list(tensors)
    graph.prune()
    return behind


def propose_layers(graph: Graph, last: int) -> str:
    """Return a proposal for messages: a near number of layers with far smaller features.

    It is the nearest number, at most three away, with at most half of the numbers per sample; the
    larger of two equally near ones.

    Args:
        graph: the base, with batch 1.
        last: number of the last layers with weights that are trained; a cut is before them.

    Returns:
        The numbers per sample of both; empty if there is no such number.
    """
    cuts, layers = _find_cuts(graph), find_layers(graph)
    counts = [last + sign * distance for distance in range(_NEAR + 1) for sign in (1, -1)]
    numbers = {
        count: possible[0].numbers
        for count in counts
        if 0 < count <= len(layers) and (possible := _cuts_before(cuts, layers[-count:]))
    }
    for count, smaller in numbers.items() if last in numbers else ():
        if smaller <= numbers[last] / 2:
            return f": {numbers[last]:,} numbers per sample, or {smaller:,} with the last {count}"
    return ""


@dataclass(frozen=True)
class _Cut:
    """A possible cut.

    Attributes:
        tensors: the tensors.
        before: the ops that compute them.
        behind: number of layers with weights behind it.
        numbers: number of elements of the tensors.
    """

    tensors: tuple[Tensor, ...]
    before: Set[Op]
    behind: int
    numbers: int


def _find_cuts(graph: Graph) -> list[_Cut]:
    flow = Dataflow.of(graph)
    layers = find_layers(graph)
    possible = {
        tensor for tensor in flow.tensors if can_be_feature(tensor) and tensor.shape[:1] == (1,)
    }
    cuts = []
    for tensors in frontiers(flow, possible):
        before = flow.ops_before(tensors)
        behind = sum(op not in before for op in layers)
        cuts.append(_Cut(tensors, before, behind, sum(tensor.size for tensor in tensors)))
    return cuts


def _choose_cut(cuts: Iterable[_Cut], layers: Collection[Op]) -> _Cut:
    """Return the cheapest cut that is before these layers."""
    possible = _cuts_before(cuts, layers)
    if not possible:
        first = next(iter(layers))
        raise ConversionError(
            f"no cut of at most {MOST_TENSORS} float or quantized tensors is before the layer "
            f"{first_name(first.output)!r}: train fewer of the last layers (last=, --fine-tune)"
        )
    return possible[0]


def _cuts_before(cuts: Iterable[_Cut], layers: Collection[Op]) -> list[_Cut]:
    """Return the cuts that are before these layers, the cheapest first."""
    possible = [cut for cut in cuts if cut.before.isdisjoint(layers)]
    return sorted(possible, key=lambda cut: (cut.behind, cut.numbers))
