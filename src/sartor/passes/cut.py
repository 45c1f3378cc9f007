"""Cut a base at its features."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ..errors import FeatureError
from ..graph import DType, Graph, Model, Op, Tensor
from .find_features import entry_signature, find_features

__all__ = ["Cut", "cut"]


@dataclass(frozen=True)
class Cut:
    """The result of a cut.

    Attributes:
        graph: the base up to the features, which are its outputs.
        tensors: the features; several if branches cross the cut.
        reason: one line that states how they were found.
        notes: messages for the user.
    """

    graph: Graph
    tensors: tuple[Tensor, ...]
    reason: str
    notes: tuple[str, ...]


def cut(model: Model, names: Sequence[str] = ()) -> Cut:
    """Remove the ops behind the features.

    Before: a model with any graphs and signatures. After: one graph (and the graphs that it
    calls) whose outputs are the features, and no signature. The inputs have the names of the
    signature.

    Args:
        model: the base; changed in place.
        names: names of the feature tensors, or of outputs of the signature. Default: see
            `find_features`.

    Raises:
        ConversionError: If a name does not exist.
        FeatureError: If the features cannot be found, or do not depend on an input.
    """
    entry = entry_signature(model)
    graph = entry.graph
    features = find_features(entry, names)
    tensors = features.tensors
    graph.outputs = list(tensors)
    graph.prune()
    graph.remove(_unused_initializers(graph))
    graph.inputs = [tensor for tensor in graph.inputs if tensor.consumers or tensor in tensors]
    if not graph.inputs:
        listed = ", ".join(map(repr, tensors))
        raise FeatureError(f"the features {listed} do not depend on any input")
    for name, tensor in entry.inputs.items():
        tensor.name = name
    model.signatures = []
    model.graphs = graph.reachable()
    return Cut(graph, tensors, features.reason, features.notes)


def _unused_initializers(graph: Graph) -> list[Op]:
    """Return the CALL_ONCE ops that set no variable or table which the graph uses."""
    used = _resources(graph)
    calls = [op for op in graph.ops if op.code == "CALL_ONCE"]
    return [op for op in calls if used.isdisjoint(_resources(op.options["initSubgraphIndex"]))]


def _resources(graph: Graph) -> set[str]:
    """Return an identifier of each variable and table of a graph."""
    return {
        f"{op.code} {sorted(op.options.items())}"
        for op in graph.ops
        if any(tensor.dtype is DType.RESOURCE for tensor in op.outputs)
    }
