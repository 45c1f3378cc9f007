"""Emitting ops: the one door through which rules, heads and passes add to a graph."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np

from ..errors import ConversionError
from ..graph import Graph, Op, Tensor
from .registry import ROWS

__all__ = ["Operand", "emit", "emit_many"]

Operand: TypeAlias = Tensor | np.ndarray | float
"""A tensor, or a value that becomes a constant (a Python number: float32, rank 0)."""


def emit(code: str, *inputs: Operand | None, name: str | None = None, **options: Any) -> Tensor:
    """Append an op with one output to the graph of its inputs, and return the output.

    Args:
        code: an op that has a row.
        inputs: at least one is a tensor; values become constants; None leaves one out.
        name: of the output; the op code in lower case unless told.
        options: under the schema's field names.

    Raises:
        ConversionError: the shapes or types do not fit the op.
    """
    return emit_many(code, inputs, name=name, **options)[0]


def emit_many(
    code: str,
    inputs: Sequence[Operand | None],
    *,
    graph: Graph | None = None,
    name: str | None = None,
    **options: Any,
) -> tuple[Tensor, ...]:
    """Append an op with any number of outputs; `graph` is needed when no input is a tensor."""
    graph = graph or next(value for value in inputs if isinstance(value, Tensor)).graph
    tensors = [_tensor(graph, value) for value in inputs]
    row = ROWS[code]
    options = {**row.defaults, **options}
    try:
        specs = row.infer(tensors, options)
    except (ValueError, IndexError) as error:
        shapes = ", ".join(map(repr, tensors))
        raise ConversionError(f"{code} does not take {shapes}: {error}") from error
    outputs = [graph.tensor(name or code.lower(), dtype, shape) for shape, dtype in specs]
    graph.add(Op(code, tensors, outputs, options=options, options_type=row.options))
    return tuple(outputs)


def _tensor(graph: Graph, value: Operand | None) -> Tensor | None:
    if value is None or isinstance(value, Tensor):
        return value
    array = np.asarray(value)
    if array.dtype == np.float64 or isinstance(value, int):
        array = array.astype(np.float32)
    return graph.constant(array)
