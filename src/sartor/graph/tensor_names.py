"""The names by which a user selects tensors of a graph."""

from __future__ import annotations

import difflib
from collections import Counter
from collections.abc import Iterable

from .model import Signature
from .tensor import Tensor

__all__ = ["MEAN", "first_name", "names_of", "similar_names", "tensors_by_name"]

MEAN = "mean:"
"""Prefix of a name: the mean of the tensor over its positions, one number per channel."""

_HANDLE = "tensor:"
_CLOSE = 3


def first_name(tensor: Tensor) -> str:
    """Return the name of a tensor; the first one if a converter joined several with `;`."""
    return tensor.name.split(";")[0]


def tensors_by_name(entry: Signature) -> dict[str, Tensor]:
    """Return the names by which a user can select features, in the order of the graph.

    A tensor has its own name, unless it is empty or another tensor has it. If a converter joined
    several names with semicolons, the first of them is valid too, unless another tensor has it. An
    output also has its name in the signature. Every tensor has the name `tensor:INDEX`, with its
    index in the file.
    """
    graph = entry.graph
    tensors = [tensor for tensor in graph.tensors if not tensor.is_constant]
    first_names = _unique((first_name(tensor), tensor) for tensor in tensors)
    full_names = _unique((tensor.name, tensor) for tensor in tensors)
    handles = {
        f"{_HANDLE}{index}": tensor
        for index, tensor in enumerate(graph.tensors)
        if not tensor.is_constant
    }
    return {**handles, **first_names, **full_names, **entry.outputs}


def names_of(entry: Signature) -> dict[Tensor, str]:
    """Return the shortest name of each tensor; the handle if there is no other."""
    names: dict[Tensor, str] = {}
    for name, tensor in tensors_by_name(entry).items():
        if tensor not in names or names[tensor].startswith(_HANDLE):
            names[tensor] = name
    return names


def similar_names(name: str, available: Iterable[str], count: int = _CLOSE) -> list[str]:
    """Return names that contain `name`, the shortest first, or are close to it; else the last."""
    every = list(available)
    names = [each for each in every if not each.startswith(_HANDLE)] or every
    containing = [each for each in names if name.lower() in each.lower()]
    close = difflib.get_close_matches(name, names, n=count, cutoff=0.4)
    similar = list(dict.fromkeys([*sorted(containing, key=len), *close]))
    return (similar or names[-count:])[:count]


def _unique(pairs: Iterable[tuple[str, Tensor]]) -> dict[str, Tensor]:
    """Return the names that are not empty and belong to one tensor."""
    pairs = list(pairs)
    counts = Counter(name for name, _ in pairs)
    return {name: tensor for name, tensor in pairs if name and counts[name] == 1}
