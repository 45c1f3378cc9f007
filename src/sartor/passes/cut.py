"""Cut the base at its features: what comes before stays, frozen; what comes after goes."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from dataclasses import dataclass

from ..errors import ConversionError
from ..graph import Graph, Model, Op, Tensor

__all__ = ["Cut", "cut"]

# Op code → the input that holds its weights.
_WEIGHTED = {
    "FULLY_CONNECTED": 1,
    "CONV_2D": 1,
    "DEPTHWISE_CONV_2D": 1,
    "BATCH_MATMUL": 1,
    "TRANSPOSE_CONV": 1,
    "CONV_3D": 1,
}
_VARIABLE_USERS = {"READ_VARIABLE", "ASSIGN_VARIABLE"}


@dataclass(frozen=True)
class Cut:
    """Where a base was cut.

    Attributes:
        graph: the base up to the features, its only outputs.
        tensors: the features; several where branches cross the cut.
        why: how they were found, for people.
    """

    graph: Graph
    tensors: tuple[Tensor, ...]
    why: str


def cut(model: Model, names: Sequence[str] | None = None) -> Cut:
    """Keep of a model what makes the features, and nothing else.

    Without names, the features are what goes into the last layer with weights: of a classifier,
    what its classes are told apart by. Where that layer is a convolution over a picture, the
    model has no classifier, and its outputs are the features.

    Args:
        model: changed: one graph (and those that it calls), no signature.
        names: of the tensors that are the features.

    Raises:
        ConversionError: there is no weighted layer, or no tensor of that name.
    """
    graph = _entry(model)
    tensors, why = (_named(graph, names), "as named") if names else _input_of_last_weighted(graph)
    _check_float_or_quantized(tensors)
    graph.outputs = list(tensors)
    graph.prune()
    if not any(op.code in _VARIABLE_USERS for op in graph.ops):
        graph.remove([op for op in graph.ops if op.code == "CALL_ONCE"])
    graph.inputs = [tensor for tensor in graph.inputs if tensor.consumers or tensor in tensors]
    if not graph.inputs:
        raise ConversionError(f"the features {_list(tensors)} do not depend on any input")
    model.signatures = []
    model.graphs = _called_from(graph)
    return Cut(graph, tuple(tensors), why)


def _entry(model: Model) -> Graph:
    """The graph that classifies: of the signature `infer` or the usual one, else the first."""
    for key in ("infer", "serving_default"):
        found = model.signature(key)
        if found is not None:
            return found.graph
    return model.main


def _named(graph: Graph, names: Sequence[str]) -> list[Tensor]:
    found = []
    for name in names:
        matches = [tensor for tensor in graph.find(name) if not tensor.is_constant]
        if not matches:
            known = [tensor.name for tensor in graph.tensors if not tensor.is_constant]
            close = difflib.get_close_matches(name, known, n=3, cutoff=0.4) or known[-3:]
            raise ConversionError(
                f"the base has no tensor {name!r} to take features from. Close to it: "
                f"{', '.join(map(repr, close))}. `sartor inspect` lists all."
            )
        found.append(matches[-1])
    return found


def _input_of_last_weighted(graph: Graph) -> tuple[list[Tensor], str]:
    last = next((op for op in reversed(graph.ops) if _is_weighted(op)), None)
    if last is None:
        raise ConversionError(
            "the base has no layer with weights (fully connected or convolution), so its features "
            "cannot be found. Name the tensor to take them from (`features=`, --features)."
        )
    if _over_a_picture(last):
        return list(graph.outputs), f"the base's outputs: {last!r} is no classifier"
    behind = _downstream(graph, last)
    crossing = dict.fromkeys(
        tensor
        for op in graph.ops
        if op in behind
        for tensor in op.inputs
        if tensor is not None and not _from_constants(tensor) and tensor.producer not in behind
    )
    return list(crossing), f"what goes into {last!r}, the last layer with weights"


def _is_weighted(op: Op) -> bool:
    index = _WEIGHTED.get(op.code)
    return index is not None and _from_constants(op.input(index))


def _from_constants(tensor: Tensor) -> bool:
    """True for a constant, and for one that is dequantized, reshaped, … at run time."""
    if tensor.producer is None:
        return tensor.is_constant
    inputs = [source for source in tensor.producer.inputs if source is not None]
    return bool(inputs) and all(_from_constants(source) for source in inputs)


def _over_a_picture(op: Op) -> bool:
    shape = op.output.shape
    return op.code != "FULLY_CONNECTED" and len(shape) > 2 and max(shape[1:-1]) > 1


def _downstream(graph: Graph, start: Op) -> set[Op]:
    """`start` and all that depends on it."""
    ops, made = {start}, set(start.outputs)
    for op in graph.ops:
        if made.intersection(op.inputs):
            ops.add(op)
            made.update(op.outputs)
    return ops


def _check_float_or_quantized(tensors: Sequence[Tensor]) -> None:
    for tensor in tensors:
        if not tensor.dtype.is_float and tensor.quantization is None:
            raise ConversionError(
                f"{tensor!r} cannot be a feature: features are float, or quantized integers "
                "that stand for floats. Name another tensor (`features=`, --features)."
            )


def _called_from(graph: Graph) -> list[Graph]:
    """The graph, and those that its ops call, each once."""
    found = [graph]
    for current in found:
        for op in current.ops:
            for value in op.options.values():
                called = value if isinstance(value, list) else [value]
                found += [g for g in called if isinstance(g, Graph) and g not in found]
    return found


def _list(tensors: Sequence[Tensor]) -> str:
    return ", ".join(map(repr, tensors))
