"""Emitting ops: all rules, heads and passes add ops to a graph through `emit`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np

from ..errors import ConversionError
from ..graph import Graph, Op, Tensor
from .registry import ROWS, OpRow, Spec, find_row

__all__ = ["Operand", "can_emit", "emit", "emit_any_batch", "emit_many", "infer_outputs"]

Operand: TypeAlias = Tensor | np.ndarray | float
"""A tensor, or a value that becomes a constant (a Python number: float32, rank 0)."""


def can_emit(code: str) -> bool:
    """Return True if the op has a row with a shape rule."""
    return code in ROWS and ROWS[code].infer is not None


def emit(code: str, *inputs: Operand | None, name: str | None = None, **options: Any) -> Tensor:
    """Append an op with one output to the graph of its inputs, and return the output.

    Args:
        code: name of an op whose row has a shape rule (`infer`).
        inputs: inputs of the op, at least one of them a tensor. Values become constants; None
            leaves an input out.
        name: name of the output. Default: the op code in lower case.
        options: options of the op, under the schema's field names.

    Raises:
        ConversionError: If the shapes or types do not fit the op, or it has no shape rule.
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
    """Append an op with any number of outputs; `graph` is needed if no input is a tensor."""
    graph = graph or next(value for value in inputs if isinstance(value, Tensor)).graph
    tensors = [_to_tensor(graph, value) for value in inputs]
    row = ROWS.get(code) or OpRow(code)
    options = {**row.defaults, **options}
    specs = infer_outputs(code, tensors, options)
    outputs = [graph.tensor(name or code.lower(), dtype, shape) for shape, dtype in specs]
    graph.add(Op(code, tensors, outputs, options=options, options_type=row.options))
    return tuple(outputs)


def infer_outputs(
    code: str, inputs: Sequence[Tensor | None], options: Mapping[str, Any]
) -> list[Spec]:
    """Return the shape and type of each output of an op.

    Raises:
        ConversionError: If the shapes or types do not fit the op, or it has no shape rule.
    """
    row = ROWS.get(code)
    if row is None or row.infer is None:
        raise ConversionError(
            f"the row of {code} has no shape rule, so Sartor cannot emit it. Add one: `infer` "
            "(docs/add-a-gradient.md)."
        )
    try:
        return row.infer(inputs, options)
    except (ValueError, IndexError) as error:
        shapes = ", ".join(map(repr, inputs))
        raise ConversionError(f"{code} does not take {shapes}: {error}") from error


def emit_any_batch(op: Op, inputs: Sequence[Tensor | None], batch: int) -> tuple[Tensor, ...]:
    """Emit an op of a file again, on inputs with any number of rows, and return its outputs.

    Args:
        op: op of a file.
        inputs: inputs of the new op.
        batch: number of rows in the file.

    Raises:
        ConversionError: If the shapes or types do not fit the op, or it has no shape rule.
    """
    again = find_row(op).any_batch
    if again is not None:
        return (again(op, inputs, batch),)
    graph = next(value for value in inputs if value is not None and not value.is_constant).graph
    return emit_many(op.code, inputs, graph=graph, name=op.output.name, **op.options)


def _to_tensor(graph: Graph, value: Operand | None) -> Tensor | None:
    if value is None or isinstance(value, Tensor):
        return value
    array = np.asarray(value)
    if array.dtype == np.float64 or isinstance(value, int):
        array = array.astype(np.float32)
    return graph.constant(array)
