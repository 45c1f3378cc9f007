"""Where features can be cut: what every path from the inputs to the outputs crosses."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from ..graph import DType, Op, Tensor
from .base import BaseGraph, is_real
from .costs import multiply_adds
from .records import CutFacts, TensorFacts

__all__ = ["bytes_kept", "can_be_feature", "find_cuts", "tensor_facts"]

_MOST_TENSORS = 4


@dataclass(frozen=True)
class _Place:
    tensors: tuple[Tensor, ...]
    facts: CutFacts


def find_cuts(
    base: BaseGraph,
    names: Mapping[Tensor, str],
    trainable: Collection[Tensor],
    default: Sequence[Tensor],
    kept: Mapping[Tensor, int],
) -> list[CutFacts]:
    """The cuts of one to four tensors, from the outputs backwards.

    They are found in the order in which the ops run: after each op, what was made so far and is
    still needed. The inputs themselves are the last: with them nothing of the base is used.

    Args:
        base: where to look.
        names: what `convert` calls a tensor; others are not taken for features.
        trainable: the constants whose gradients have rules up to the outputs.
        default: where `convert` cuts; may be empty.
        kept: bytes of an element in a sample store, where they do not follow from the tensor.
    """
    found = dict.fromkeys(_frontiers(base, names))
    if default and not any(set(tensors) == set(default) for tensors in found):
        found[tuple(default)] = None
    places = []
    costs = {op: multiply_adds(op) or 0 for op in base.ops}
    for tensors in found:
        facts = _facts(base, costs, tensors, names, trainable, kept)
        is_default = set(tensors) == set(default)
        places.append(_Place(tensors, replace(facts, is_default=is_default)))
    places.sort(key=lambda place: _position(base, place.tensors))
    return list(_marked(places, base))[::-1]


def tensor_facts(tensor: Tensor) -> TensorFacts:
    """What a tensor is."""
    pair = tensor.quantization.per_tensor if tensor.quantization is not None else None
    return TensorFacts(
        tensor.name, tensor.dtype.name.lower(), tensor.shape, *(pair if pair else (None, None))
    )


def _frontiers(base: BaseGraph, names: Mapping[Tensor, str]) -> Iterator[tuple[Tensor, ...]]:
    """After each op, the tensors that are made and still needed; before all, the inputs."""
    last = {t: i for i, op in enumerate(base.ops) for t in op.inputs if t in base.flow}
    last.update(dict.fromkeys(base.graph.outputs, len(base.ops)))
    alive = {tensor: None for tensor in base.graph.inputs if tensor in last}
    for index, op in enumerate([None, *base.ops]):
        if op is not None:
            alive.update((t, None) for t in op.outputs if last.get(t, -1) >= index)
            alive = {tensor: None for tensor in alive if last[tensor] >= index}
        if 0 < len(alive) <= _MOST_TENSORS and all(t in names and can_be_feature(t) for t in alive):
            yield tuple(alive)


def can_be_feature(tensor: Tensor) -> bool:
    """Whether `convert` takes it for a feature."""
    return is_real(tensor) and tensor.rank > 1 and tensor.shape[0] == 1


def bytes_kept(dtype: DType, *, quantized: bool) -> int:
    """Of an element in a sample store: quantized integers as they are, all else as float16."""
    return (dtype.bits or 8) // 8 if quantized and not dtype.is_float else 2


def _facts(
    base: BaseGraph,
    costs: Mapping[Op, int],
    tensors: tuple[Tensor, ...],
    names: Mapping[Tensor, str],
    trainable: Collection[Tensor],
    kept: Mapping[Tensor, int],
) -> CutFacts:
    before = base.before(tensors)
    after = [op for op in base.ops if op not in before]
    weights = base.parameters(after)
    done, left = (sum(costs[op] for op in ops) for ops in (before, after))
    return CutFacts(
        features=tuple(names.get(tensor, tensor.name) for tensor in tensors),
        tensors=tuple(map(tensor_facts, tensors)),
        bytes=sum(t.size * (kept.get(t) or _bytes_kept(t)) for t in tensors),
        multiply_adds_before=done,
        share_before=done / (done + left) if done + left else None,
        multiply_adds_after=left,
        parameters_after=sum(tensor.size for tensor in weights),
        trainable_after=sum(tensor.size for tensor in weights if tensor in trainable),
        is_default=False,
        is_useful=False,
    )


def _bytes_kept(tensor: Tensor) -> int:
    steps = tensor.quantization
    quantized = steps is not None and steps.per_tensor is not None
    return bytes_kept(tensor.dtype, quantized=quantized)


def _position(base: BaseGraph, tensors: tuple[Tensor, ...]) -> int:
    """The index of the last op that makes one of these; -1 of the inputs."""
    made = set(tensors)
    return max((i for i, op in enumerate(base.ops) if not made.isdisjoint(op.outputs)), default=-1)


def _marked(places: Sequence[_Place], base: BaseGraph) -> Iterator[CutFacts]:
    """Say of each, from the inputs on, whether it is useful.

    It is not where one nearer the inputs takes fewer bytes, or where another one leaves as much to
    do and takes fewer. The default and the inputs themselves are always told.
    """
    best: dict[tuple[int, int], CutFacts] = {}
    for place in places:
        rival = best.setdefault(_work(place.facts), place.facts)
        if _rank(place.facts) < _rank(rival):
            best[_work(place.facts)] = place.facts
    fewest: float = math.inf
    for place in places:
        facts, is_input = place.facts, not base.before(place.tensors)
        small = facts.bytes <= fewest and best[_work(facts)] is facts
        yield replace(facts, is_useful=facts.is_default or is_input or small)
        fewest = fewest if is_input else min(fewest, facts.bytes)


def _work(facts: CutFacts) -> tuple[int, int]:
    return facts.multiply_adds_after, facts.parameters_after


def _rank(facts: CutFacts) -> tuple[bool, int]:
    return not facts.is_default, facts.bytes
