"""Find the possible cuts: tensors that every path from the inputs to the outputs crosses."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from ..costs import multiply_adds
from ..graph import DType, Op, Tensor
from ..passes.dataflow import Dataflow
from ..passes.frontiers import frontiers
from .records import CutInfo, TensorInfo

__all__ = ["element_bytes", "find_cuts", "tensor_info"]


@dataclass(frozen=True)
class _Candidate:
    tensors: tuple[Tensor, ...]
    info: CutInfo


def find_cuts(
    flow: Dataflow,
    names: Mapping[Tensor, str],
    trainable: Collection[Tensor],
    default: Sequence[Tensor],
    stored_bytes: Mapping[Tensor, int],
) -> list[CutInfo]:
    """Return the cuts of one to four tensors, from the outputs to the inputs.

    After each op, the tensors that are computed and still needed form a cut. The last cut are the
    inputs: then no part of the base is used.

    Args:
        flow: the dataflow of the base.
        names: tensor → name for `convert`. Tensors without a name cannot be features.
        trainable: constants that gradients reach.
        default: tensors of the default cut; may be empty.
        stored_bytes: bytes per element in a sample store, if they do not follow from the tensor.
    """
    tensor_sets = dict.fromkeys(frontiers(flow, names))
    if default and not any(set(tensors) == set(default) for tensors in tensor_sets):
        tensor_sets[tuple(default)] = None
    costs = {op: multiply_adds(op) or 0 for op in flow.ops}
    candidates = []
    for tensors in tensor_sets:
        info = _cut_info(flow, costs, tensors, names, trainable, stored_bytes)
        is_default = set(tensors) == set(default)
        candidates.append(_Candidate(tensors, replace(info, is_default=is_default)))
    candidates.sort(key=lambda candidate: _position(flow, candidate.tensors))
    return list(_mark_useful(candidates, flow))[::-1]


def tensor_info(tensor: Tensor) -> TensorInfo:
    """Describe a tensor."""
    per_tensor = tensor.quantization.per_tensor if tensor.quantization is not None else None
    scale, zero_point = per_tensor or (None, None)
    return TensorInfo(tensor.name, tensor.dtype.name.lower(), tensor.shape, scale, zero_point)


def element_bytes(dtype: DType, *, quantized: bool) -> int:
    """Return the bytes of an element in a store: integers as they are, float16 for floats."""
    return (dtype.bits or 8) // 8 if quantized and not dtype.is_float else 2


def _cut_info(
    flow: Dataflow,
    costs: Mapping[Op, int],
    tensors: tuple[Tensor, ...],
    names: Mapping[Tensor, str],
    trainable: Collection[Tensor],
    stored_bytes: Mapping[Tensor, int],
) -> CutInfo:
    ops_before = flow.ops_before(tensors)
    ops_after = [op for op in flow.ops if op not in ops_before]
    weights = flow.parameters(ops_after)
    before, after = (sum(costs[op] for op in ops) for ops in (ops_before, ops_after))
    return CutInfo(
        features=tuple(names.get(tensor, tensor.name) for tensor in tensors),
        tensors=tuple(map(tensor_info, tensors)),
        bytes_per_sample=sum(t.size * (stored_bytes.get(t) or _element_bytes(t)) for t in tensors),
        multiply_adds_before=before,
        fraction_before=before / (before + after) if before + after else None,
        multiply_adds_after=after,
        parameters_after=sum(tensor.size for tensor in weights),
        trainable_after=sum(tensor.size for tensor in weights if tensor in trainable),
        is_default=False,
        is_useful=False,
    )


def _element_bytes(tensor: Tensor) -> int:
    quantization = tensor.quantization
    quantized = quantization is not None and quantization.per_tensor is not None
    return element_bytes(tensor.dtype, quantized=quantized)


def _position(flow: Dataflow, tensors: tuple[Tensor, ...]) -> int:
    """Return the index of the last op that computes one of these; -1 for the inputs."""
    cut = set(tensors)
    return max((i for i, op in enumerate(flow.ops) if not cut.isdisjoint(op.outputs)), default=-1)


def _mark_useful(candidates: Sequence[_Candidate], flow: Dataflow) -> Iterator[CutInfo]:
    """Set `is_useful` of each cut, from the inputs to the outputs.

    A cut is not useful if a cut nearer the inputs takes fewer bytes, or if another cut with the
    same ops after it takes fewer bytes. The default and the inputs are always useful.
    """
    smallest: dict[tuple[int, int], CutInfo] = {}
    for candidate in candidates:
        rival = smallest.setdefault(_remaining_cost(candidate.info), candidate.info)
        if _rank(candidate.info) < _rank(rival):
            smallest[_remaining_cost(candidate.info)] = candidate.info
    fewest: float = math.inf
    for candidate in candidates:
        info, is_input = candidate.info, not flow.ops_before(candidate.tensors)
        is_small = info.bytes_per_sample <= fewest and smallest[_remaining_cost(info)] is info
        yield replace(info, is_useful=info.is_default or is_input or is_small)
        fewest = fewest if is_input else min(fewest, info.bytes_per_sample)


def _remaining_cost(info: CutInfo) -> tuple[int, int]:
    return info.multiply_adds_after, info.parameters_after


def _rank(info: CutInfo) -> tuple[bool, int]:
    return not info.is_default, info.bytes_per_sample
