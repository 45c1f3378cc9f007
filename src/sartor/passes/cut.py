"""Cut the base at its features: what comes before stays, frozen; what comes after goes."""

from __future__ import annotations

import difflib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from ..contract.names import FEATURES
from ..errors import ConversionError
from ..graph import DType, Graph, Model, Op, Signature, Tensor
from ..ops import find_row

__all__ = [
    "Cut",
    "accepted_names",
    "called_from",
    "cut",
    "entry_of",
    "find_features",
    "is_from_constants",
    "is_real",
    "is_weighted",
]


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
    model has no classifier, and its outputs are the features. A model with a signature `features`
    says itself what they are: its outputs.

    Args:
        model: changed: one graph (and those that it calls), no signature. Its inputs get the names
            that the signature gave them.
        names: of the tensors that are the features, or of outputs of its signature.

    Raises:
        ConversionError: there is no weighted layer, or no tensor of that name.
    """
    entry = entry_of(model)
    graph = entry.graph
    tensors, why = find_features(entry, names)
    graph.outputs = list(tensors)
    graph.prune()
    graph.remove(_idle_initializers(graph))
    graph.inputs = [tensor for tensor in graph.inputs if tensor.consumers or tensor in tensors]
    if not graph.inputs:
        raise ConversionError(f"the features {_list(tensors)} do not depend on any input")
    for name, tensor in entry.inputs.items():
        tensor.name = name
    model.signatures = []
    model.graphs = called_from(graph)
    return Cut(graph, tuple(tensors), why)


def find_features(entry: Signature, names: Sequence[str] | None = None) -> tuple[list[Tensor], str]:
    """The tensors that `cut` takes for the features, and how they were found, for people.

    Raises:
        ConversionError: there is no weighted layer, or no tensor of that name.
    """
    if names:
        tensors, why = _named(entry, names), "as named"
    elif entry.key == FEATURES:
        tensors, why = list(entry.outputs.values()), f"as named: {', '.join(entry.outputs)}"
    else:
        tensors, why = _input_of_last_weighted(entry.graph)
    _check_float_or_quantized(tensors)
    return tensors, why


def entry_of(model: Model) -> Signature:
    """What classifies: the signature `features`, `infer` or the usual one, else the first graph."""
    for key in (FEATURES, "infer", "serving_default"):
        found = model.signature(key)
        if found is not None:
            return found
    return Signature("", model.main, {}, {})


def accepted_names(entry: Signature) -> dict[str, Tensor]:
    """What tensors may be called when features are named, in the order of the graph.

    A tensor goes by its name. The converter that made the file may have joined several in it, with
    semicolons: then by the first of them as well, where no other tensor does. An output also goes
    by the name that the signature gives it.
    """
    tensors = [tensor for tensor in entry.graph.tensors if not tensor.is_constant]
    firsts = Counter(tensor.name.split(";")[0] for tensor in tensors)
    names = {first: t for t in tensors if firsts[first := t.name.split(";")[0]] == 1}
    return {**names, **{tensor.name: tensor for tensor in tensors}, **entry.outputs}


def _named(entry: Signature, names: Sequence[str]) -> list[Tensor]:
    known, found = accepted_names(entry), list[Tensor]()
    for name in names:
        if name not in known:
            close = difflib.get_close_matches(name, known, n=3, cutoff=0.4) or list(known)[-3:]
            raise ConversionError(
                f"the base has no tensor {name!r} to take features from. Close to it: "
                f"{', '.join(map(repr, close))}. `sartor inspect --all` lists all."
            )
        if known[name] in found:
            raise ConversionError(f"the features name {name!r} twice: name each tensor once")
        found.append(known[name])
    return found


def _input_of_last_weighted(graph: Graph) -> tuple[list[Tensor], str]:
    last = next((op for op in reversed(graph.ops) if is_weighted(op)), None)
    if last is None:
        raise ConversionError(
            "the base has no layer with weights (fully connected or convolution), so its features "
            "cannot be found. Name the tensor to take them from (`features=`, --features)."
        )
    if _over_a_picture(last):
        return list(graph.outputs), f"the base's outputs: {_called(last)} is no classifier"
    behind = _downstream(graph, last)
    crossing = dict.fromkeys(
        tensor
        for op in graph.ops
        if op in behind
        for tensor in op.inputs
        if tensor is not None and not is_from_constants(tensor) and tensor.producer not in behind
        if is_real(tensor)  # and no shape that is computed
    )
    return list(crossing), f"what goes into {_called(last)}, the last layer with weights"


def _called(op: Op) -> str:
    """An op for people; the converter that made the file may have joined many names."""
    return f"{op.name} {op.output.name.split(';')[0]!r}"


def is_weighted(op: Op) -> bool:
    """Whether the op is a layer whose weights the file holds."""
    weights = find_row(op).weights
    return weights is not None and is_from_constants(op.input(weights.input))


def is_from_constants(tensor: Tensor) -> bool:
    """True for a constant, and for one that is dequantized, reshaped, … at run time."""
    waiting, seen = [tensor], set()
    while waiting:  # no recursion: a base may be a thousand layers deep
        source = waiting.pop()
        if source in seen:
            continue
        seen.add(source)
        if source.producer is None:
            if not source.is_constant:
                return False
            continue
        inputs = [each for each in source.producer.inputs if each is not None]
        if not inputs:
            return False
        waiting += inputs
    return True


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


def _idle_initializers(graph: Graph) -> list[Op]:
    """The CALL_ONCEs that set no variable (or table) which the graph uses."""
    used = _resources(graph)
    calls = [op for op in graph.ops if op.code == "CALL_ONCE"]
    return [op for op in calls if used.isdisjoint(_resources(op.options["initSubgraphIndex"]))]


def _resources(graph: Graph) -> set[str]:
    return {
        f"{op.code} {sorted(op.options.items())}"
        for op in graph.ops
        if any(tensor.dtype is DType.RESOURCE for tensor in op.outputs)
    }


def is_real(tensor: Tensor) -> bool:
    """Whether it holds reals, or integers that stand for them."""
    return tensor.dtype.is_float or tensor.quantization is not None


def _check_float_or_quantized(tensors: Sequence[Tensor]) -> None:
    for tensor in tensors:
        if not is_real(tensor):
            raise ConversionError(
                f"{tensor!r} cannot be a feature: features are float, or quantized integers "
                "that stand for floats. Name another tensor (`features=`, --features)."
            )


def called_from(graph: Graph) -> list[Graph]:
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
