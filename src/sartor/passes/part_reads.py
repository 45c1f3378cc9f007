"""Keep LiteRT from crashing on a variable that one op takes twice."""

from __future__ import annotations

from ..graph import Graph, Op
from ..ops import read_variable

__all__ = ["part_reads"]


def part_reads(graph: Graph) -> None:
    """Read a variable twice where a single op takes it twice, as in `w · w`.

    XNNPACK ends the process where one op, and no other, has the same READ_VARIABLE on two of its
    inputs (LiteRT 2.3.0; two reads, or another use beside it, are fine).
    """
    for op in list(graph.ops):
        if op.code == "READ_VARIABLE" and len(op.output.consumers) > 1:
            users = set(op.output.consumers)
            if len(users) == 1:
                _read_again(graph, op, users.pop())


def _read_again(graph: Graph, read: Op, user: Op) -> None:
    """Give each further input of `user` that takes the value a read of its own."""
    inputs, value = list(user.inputs), read.output
    for index in range(inputs.index(value) + 1, len(inputs)):
        if inputs[index] is value:
            inputs[index] = read_variable(read.input(0), value.shape, name=value.name)
            graph.ops.insert(graph.ops.index(read), graph.ops.pop())
    user.set_inputs(inputs)
