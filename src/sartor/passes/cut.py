"""Cut a base at its features."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ..errors import FeatureError
from ..graph import DType, Graph, Model, Op, Tensor
from .find_features import entry_signature, find_features

__all__ = ["Cut", "cut", "reachable_graphs"]


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
        FeatureError: If the features cannot be found, do not depend on an input, or need an op
            that is not builtin.
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
    model.graphs = reachable_graphs(graph)
    _check_ops(model)
    return Cut(graph, tensors, features.reason, features.notes)


def reachable_graphs(graph: Graph) -> list[Graph]:
    """Return the graph, and those that its ops call, each once."""
    graphs = [graph]
    for current in graphs:
        for op in current.ops:
            for option in op.options.values():
                values = option if isinstance(option, list) else [option]
                for value in values:
                    if isinstance(value, Graph) and value not in graphs:
                        graphs.append(value)
    return graphs


def _check_ops(model: Model) -> None:
    """Check that all ops are builtin: LiteRT on the device has no others."""
    custom = sorted({op.name for graph in model.graphs for op in graph.ops if op.custom_code})
    if custom:
        raise FeatureError(
            f"the features need ops that LiteRT does not have: {', '.join(custom)}. Choose "
            "features before them, or convert the model without them"
        )


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
