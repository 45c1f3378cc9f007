"""Give each input of an op its own read of a variable."""

from __future__ import annotations

from ..graph import Graph, Op
from ..ops import read_variable

__all__ = ["split_variable_reads"]


def split_variable_reads(graph: Graph) -> None:
    """Read a variable twice if one op takes it twice and nothing else uses it.

    Before: `w = READ_VARIABLE; MUL(w, w)`. After: two READ_VARIABLE ops, `MUL(w, w')`.

    XNNPACK (LiteRT 2.3.0) ends the process on the first form. Two reads, or a second op that uses
    the value, are safe.
    """
    for read in list(graph.ops):
        if read.code == "READ_VARIABLE" and len(read.output.consumers) > 1:
            consumers = set(read.output.consumers)
            if len(consumers) == 1:
                _split(graph, read, consumers.pop())


def _split(graph: Graph, read: Op, consumer: Op) -> None:
    """Add a read for each further input of `consumer` that takes the value."""
    inputs, value = list(consumer.inputs), read.output
    for index in range(inputs.index(value) + 1, len(inputs)):
        if inputs[index] is value:
            inputs[index] = read_variable(read.input(0), value.shape, name=value.name)
            graph.ops.insert(graph.ops.index(read), graph.ops.pop())
    consumer.set_inputs(inputs)
