"""The memory of the values between the ops of a graph, as LiteRT and XNNPACK plan it."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from ..graph import DType, Graph, Op, Tensor
from .arena import ALIGNMENT, Block, aligned, arena_size, tensor_bytes
from .xnnpack import Part, runs_in_xnnpack, shares_memory, split_graph

__all__ = ["GraphMemory", "graph_memory"]

_EXTRA = 16  # bytes behind each value of XNNPACK, which its kernels may read
_TILE = 16  # columns of a packed matrix
_ALWAYS = 1 << 30  # a step after all others


@dataclass(frozen=True)
class GraphMemory:
    """The memory of the values of a graph.

    Attributes:
        arena: bytes of LiteRT's arena: inputs, outputs, and the values between parts.
        workspace: bytes of XNNPACK's workspace: the values inside the largest part. All graphs of
            a model share it.
    """

    arena: int
    workspace: int


def graph_memory(graph: Graph) -> GraphMemory:
    """Return the memory that the values of a graph take when it runs."""
    parts = split_graph(graph)
    users = _users(parts)
    outside = {
        tensor
        for index, part in enumerate(parts)
        for op in part.ops
        for tensor in op.outputs
        if not part.in_xnnpack or users.get(tensor, set()) - {index}
    }
    outside.update(graph.inputs, graph.outputs)
    workspaces = (_workspace(part.ops, outside) for part in parts if part.in_xnnpack)
    return GraphMemory(_arena(graph, parts, outside), max(workspaces, default=0))


def _users(parts: Sequence[Part]) -> dict[Tensor, set[int]]:
    """Return tensor → indices of the parts that read it."""
    users: dict[Tensor, set[int]] = {}
    for index, part in enumerate(parts):
        for op in part.ops:
            for tensor in op.inputs:
                if tensor is not None:
                    users.setdefault(tensor, set()).add(index)
    return users


def _arena(graph: Graph, parts: Sequence[Part], outside: Collection[Tensor]) -> int:
    """Return the size of LiteRT's arena; a part of XNNPACK is one step."""
    first, last = dict.fromkeys(graph.inputs, 0), dict[Tensor, int]()
    for step, ops in enumerate(_steps(parts)):
        for op in ops:
            last.update((tensor, step) for tensor in op.inputs if tensor is not None)
            for tensor in op.outputs:
                first.setdefault(tensor, step)
    last.update(dict.fromkeys([*graph.inputs, *graph.outputs], _ALWAYS))
    blocks = [
        Block(tensor_bytes(tensor), step, last.get(tensor, _ALWAYS))
        for tensor, step in first.items()
        if tensor in outside and not tensor.is_constant and tensor.dtype is not DType.RESOURCE
    ]
    blocks += [
        Block(size, step, step)
        for step, ops in enumerate(_steps(parts))
        if len(ops) == 1 and (size := _window_bytes(ops[0]))
    ]
    blocks.sort(key=_place)
    return arena_size(blocks, ALIGNMENT)


def _window_bytes(op: Op) -> int:
    """Return the bytes of the windows that LiteRT's own convolution copies; 0 for other ops."""
    if op.code != "CONV_2D" or runs_in_xnnpack(op):
        return 0
    _, height, width, channels = op.input(1).shape
    if height * width * op.options["strideH"] * op.options["strideW"] == 1:
        return 0
    windows = op.output.size // op.output.shape[-1]
    return windows * height * width * channels * tensor_bytes(op.output) // op.output.size


def _steps(parts: Sequence[Part]) -> Iterator[Sequence[Op]]:
    for part in parts:
        if part.in_xnnpack:
            yield part.ops
        else:
            yield from ([op] for op in part.ops)


def _place(block: Block) -> tuple[bool, int, int]:
    """Return the position of a block in the order of LiteRT: inputs, then the largest."""
    is_input = block.first == 0 and block.last == _ALWAYS
    return (False, 0, 0) if is_input else (True, -block.size, block.first)


def _workspace(ops: Sequence[Op], outside: Collection[Tensor]) -> int:
    """Return the size of the workspace of one part of XNNPACK."""
    uses: dict[Tensor, list[int]] = {}
    for step, op in enumerate(ops):
        for each in op.inputs:
            if each is not None:
                uses.setdefault(each, []).append(step)
    first = {
        tensor: step
        for step, op in enumerate(ops)
        for tensor in op.outputs
        if tensor not in outside and op.code not in ("READ_VARIABLE", "VAR_HANDLE")
    }
    last = {tensor: max(uses.get(tensor, [step])) for tensor, step in first.items()}
    owners: dict[Tensor, Tensor] = {}
    for op in ops:
        owner = _owner(op, uses, first)
        if owner is not None:
            owner = owners.get(owner, owner)
            owners[op.output], last[owner] = owner, uses[op.output][0]
    blocks = [
        Block(aligned(tensor_bytes(tensor) + _EXTRA), step, last[tensor])
        for tensor, step in first.items()
        if tensor not in owners
    ]
    blocks += [
        Block(_packed_bytes(op), step, step)
        for step, op in enumerate(ops)
        if op.code == "BATCH_MATMUL" and not op.input(1).is_constant
    ]
    blocks.sort(key=lambda block: (-block.size, -block.last))  # ties as measured: within 2 %
    return arena_size(blocks)


def _owner(op: Op, uses: dict[Tensor, list[int]], inside: Collection[Tensor]) -> Tensor | None:
    """Return the input whose memory the output takes, or None."""
    if not shares_memory(op) or op.output not in inside or len(uses.get(op.output, ())) != 1:
        return None
    for tensor in filter(None, op.inputs):
        is_last_use = tensor in inside and len(uses[tensor]) == 1
        if is_last_use and tensor_bytes(tensor) == tensor_bytes(op.output):
            return tensor
    return None


def _packed_bytes(op: Op) -> int:
    """Return the bytes of the second matrix of a product, which XNNPACK packs at every run."""
    *batch, rows, columns = op.input(1).shape
    if op.options.get("adjY"):
        rows, columns = columns, rows
    return aligned(math.prod(batch) * aligned(columns, _TILE) * 4 * (rows + 1))
