"""Find the feature tensors of a base."""

from __future__ import annotations

import difflib
from collections import Counter
from collections.abc import Sequence

from ..contract.names import FEATURES
from ..errors import ConversionError
from ..graph import Graph, Model, Op, Signature, Tensor
from ..ops import find_row

__all__ = ["entry_signature", "find_features", "is_weighted", "tensors_by_name"]

_ENTRY_KEYS = (FEATURES, "infer", "serving_default")


def entry_signature(model: Model) -> Signature:
    """Return the signature `features`, `infer` or `serving_default`, else the first graph."""
    for key in _ENTRY_KEYS:
        signature = model.signature(key)
        if signature is not None:
            return signature
    return Signature("", model.main, {}, {})


def find_features(entry: Signature, names: Sequence[str] = ()) -> tuple[list[Tensor], str]:
    """Return the feature tensors, and one line that states the reason.

    The features are, in this order of precedence:

    - the tensors of the given names;
    - the outputs of a signature `features`;
    - the outputs of the model, if its last layer with weights is a convolution with an image as
      output (there is no classifier);
    - the input of the last layer with weights; several tensors if branches cross it.

    Raises:
        ConversionError: If a name does not exist, there is no layer with weights, or a tensor
            contains neither floats nor quantized values.
    """
    if names:
        tensors, reason = _named_tensors(entry, names), "selected by name"
    elif entry.key == FEATURES:
        tensors, reason = (
            list(entry.outputs.values()),
            f"outputs of signature {FEATURES!r}: {', '.join(entry.outputs)}",
        )
    else:
        tensors, reason = _input_of_last_layer(entry.graph)
    for tensor in tensors:
        if not _has_real_values(tensor):
            raise ConversionError(
                f"{tensor!r} cannot be a feature: features are float or quantized tensors. Name "
                "another tensor (`features=`, --features)"
            )
    return tensors, reason


def tensors_by_name(entry: Signature) -> dict[str, Tensor]:
    """Return the names by which a user can name features, in the order of the graph.

    A tensor has its own name. If a converter joined several names with semicolons, the first of
    them is valid too, unless another tensor has it. An output also has its name in the signature.
    """
    tensors = [tensor for tensor in entry.graph.tensors if not tensor.is_constant]
    counts = Counter(_first_name(tensor) for tensor in tensors)
    unique = {_first_name(tensor): tensor for tensor in tensors if counts[_first_name(tensor)] == 1}
    return {**unique, **{tensor.name: tensor for tensor in tensors}, **entry.outputs}


def is_weighted(op: Op) -> bool:
    """Return True for a layer whose weights are in the file."""
    weights = find_row(op).weights
    return weights is not None and _is_from_constants(op.input(weights.input))


def _named_tensors(entry: Signature, names: Sequence[str]) -> list[Tensor]:
    available, tensors = tensors_by_name(entry), list[Tensor]()
    for name in names:
        if name not in available:
            close = difflib.get_close_matches(name, available, n=3, cutoff=0.4)
            raise ConversionError(
                f"the base has no tensor {name!r}. Similar names: "
                f"{', '.join(map(repr, close or list(available)[-3:]))}. `sartor inspect --all` "
                "lists all tensors"
            )
        if available[name] in tensors:
            raise ConversionError(f"the features name {name!r} twice: name each tensor once")
        tensors.append(available[name])
    return tensors


def _input_of_last_layer(graph: Graph) -> tuple[list[Tensor], str]:
    """Return the tensors that cross the boundary before the last layer with weights."""
    last = next((op for op in reversed(graph.ops) if is_weighted(op)), None)
    if last is None:
        raise ConversionError(
            "the base has no layer with weights (fully connected or convolution), so its features "
            "cannot be found. Name the tensor to take them from (`features=`, --features)"
        )
    layer = f"{last.name} {_first_name(last.output)!r}"
    if _has_image_output(last):
        return list(graph.outputs), f"the outputs of the base, since {layer} is not a classifier"
    removed = _downstream(graph, last)
    crossing = [
        tensor
        for op in graph.ops
        if op in removed
        for tensor in op.inputs
        if tensor is not None and tensor.producer not in removed and _is_feature(tensor)
    ]
    return list(dict.fromkeys(crossing)), f"the input of {layer}, the last layer with weights"


def _is_feature(tensor: Tensor) -> bool:
    """Return True for a tensor of real values (not a computed shape) that depends on the input."""
    return not _is_from_constants(tensor) and _has_real_values(tensor)


def _is_from_constants(tensor: Tensor) -> bool:
    """Return True for a constant, and for a tensor computed from constants alone."""
    pending, visited = [tensor], set()
    while pending:  # not recursive: a base can be a thousand layers deep
        source = pending.pop()
        if source in visited:
            continue
        visited.add(source)
        if source.producer is None:
            if not source.is_constant:
                return False
            continue
        inputs = [each for each in source.producer.inputs if each is not None]
        if not inputs:
            return False
        pending += inputs
    return True


def _has_image_output(op: Op) -> bool:
    shape = op.output.shape
    return op.code != "FULLY_CONNECTED" and len(shape) > 2 and max(shape[1:-1]) > 1


def _has_real_values(tensor: Tensor) -> bool:
    return tensor.dtype.is_float or tensor.quantization is not None


def _first_name(tensor: Tensor) -> str:
    """Return the first of the names that a converter joined."""
    return tensor.name.split(";")[0]


def _downstream(graph: Graph, start: Op) -> set[Op]:
    """Return `start` and all ops that depend on it."""
    ops, outputs = {start}, set(start.outputs)
    for op in graph.ops:
        if outputs.intersection(op.inputs):
            ops.add(op)
            outputs.update(op.outputs)
    return ops
