"""Rewrite ops of a head's graph that have no gradient rule, or drop the batch axis."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from ..graph import Graph, Op, Tensor
from ..ops import concatenation, find_row, infer_outputs, reshape, slice_

__all__ = ["keep_batch_axis", "rewrite_ops"]


def rewrite_ops(graph: Graph) -> None:
    """Replace SPLIT, UNPACK, PACK and others by slices, joins and reshapes, which have rules."""
    for op in list(graph.ops):
        rewrite = _REWRITES.get(op.code)
        if rewrite is None:
            continue
        count = len(graph.ops)
        outputs = rewrite(op)
        emitted = graph.ops[count:]
        del graph.ops[count:]
        index = graph.ops.index(op)
        graph.ops[index:index] = emitted
        for old, new in zip(op.outputs, outputs, strict=True):
            new.name = old.name
            graph.replace_uses(old, new)
        graph.remove([op])


def keep_batch_axis(graph: Graph) -> None:
    """Remove each RESHAPE from [1, …] to […] whose result elementwise ops broadcast to [1, …].

    TensorFlow's converter writes such a RESHAPE into a sum of two layers if the batch is 1. With
    more rows the batch axis would be missing.
    """
    if graph.inputs[0].shape[0] != 1:
        return
    for op in list(graph.ops):
        if op.code == "RESHAPE" and op.output.shape == op.input(0).shape[1:] != (1,):
            users = _elementwise_users(op.output)
            if users is None or op.output in graph.outputs:
                continue
            graph.replace_uses(op.output, op.input(0))
            for user in graph.ops:
                if user in users:
                    ((user.output.shape, _),) = infer_outputs(user.code, user.inputs, user.options)
    graph.prune()


def _elementwise_users(tensor: Tensor) -> set[Op] | None:
    """Return the elementwise ops that use a tensor without a batch axis.

    Return None if another op does that needs its shape.
    """
    users: set[Op] = set()
    reached = [tensor]
    for current in reached:
        for op in current.consumers:
            if op.code in _ANY_SHAPE or op in users:
                continue
            if not find_row(op).broadcasts:
                return None
            users.add(op)
            if op.output.rank == tensor.rank:  # no other operand has the batch axis
                reached.append(op.output)
    return users


def _split(op: Op) -> list[Tensor]:
    x = op.input(1)
    axis = int(op.input(0).value.reshape(-1)[0]) % x.rank
    return _slices(x, axis, [output.shape[axis] for output in op.outputs])


def _split_v(op: Op) -> list[Tensor]:
    x = op.input(0)
    axis = int(op.input(2).value.reshape(-1)[0]) % x.rank
    return _slices(x, axis, [output.shape[axis] for output in op.outputs])


def _unpack(op: Op) -> list[Tensor]:
    x = op.input(0)
    slices = _slices(x, op.options.get("axis", 0) % x.rank, [1] * len(op.outputs))
    return [reshape(each, old.shape) for each, old in zip(slices, op.outputs, strict=True)]


def _slices(x: Tensor, axis: int, sizes: list[int]) -> list[Tensor]:
    """Return the parts of a tensor along an axis."""
    ends = np.cumsum(sizes)
    return [
        slice_(
            x,
            [int(end) - size if i == axis else 0 for i in range(x.rank)],
            [size if i == axis else n for i, n in enumerate(x.shape)],
        )
        for end, size in zip(ends, sizes, strict=True)
    ]


def _pack(op: Op) -> list[Tensor]:
    axis = op.options.get("axis", 0) % op.output.rank
    shape = [1 if i == axis else n for i, n in enumerate(op.output.shape)]
    parts = [reshape(op.input(index), shape) for index in range(len(op.inputs))]
    return [concatenation(parts, axis)]


def _reshape(op: Op) -> list[Tensor]:
    return [reshape(op.input(0), op.output.shape)]


_ANY_SHAPE = ("RESHAPE", "FULLY_CONNECTED")
"""Ops whose output does not depend on whether the input has an axis of 1 more."""

_REWRITES: Mapping[str, Callable[[Op], list[Tensor]]] = {
    "SPLIT": _split,
    "SPLIT_V": _split_v,
    "UNPACK": _unpack,
    "PACK": _pack,
    "EXPAND_DIMS": _reshape,
    "SQUEEZE": _reshape,
}
