"""Take the variables out of a graph: what was learned becomes constant."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from ..errors import ConversionError
from ..graph import Graph, Op, Tensor
from ..ops import infer_outputs

__all__ = ["fold_variables", "initial_values"]


def initial_values(graph: Graph) -> dict[str, np.ndarray]:
    """The constants that a graph assigns to variables: name → value."""
    return {
        _variable(op): op.input(1).value
        for op in graph.ops
        if op.code == "ASSIGN_VARIABLE" and op.input(1).is_constant
    }


def fold_variables(graph: Graph, values: Mapping[str, np.ndarray]) -> None:
    """Let constants stand where variables are read, and let the shapes follow theirs.

    Args:
        graph: reads variables; those that have no value here it keeps.
        values: name → float32. An axis may be shorter than the variable's: fewer classes.

    Raises:
        ConversionError: an op behind a variable does not take the shorter axis.
    """
    changed: set[Tensor] = set()
    for op in list(graph.ops):
        if op.code == "READ_VARIABLE" and _variable(op) in values:
            name, old = _variable(op), op.output
            new = graph.constant(values[name], name)
            graph.replace_uses(old, new)
            if new.shape != old.shape:
                changed.add(new)
    for op in graph.ops:
        if changed.intersection(op.inputs):
            changed.update(_reshaped(op))


def _variable(op: Op) -> str:
    """The name of the variable that an op reads or writes; empty for a handle from elsewhere."""
    maker = op.input(0).producer
    return str(maker.options["sharedName"]) if maker and maker.code == "VAR_HANDLE" else ""


def _reshaped(op: Op) -> Iterator[Tensor]:
    """Give an op's outputs the shapes that follow from its inputs; those that had another."""
    try:
        specs = infer_outputs(op.code, op.inputs, op.options)
    except ConversionError as error:
        raise ConversionError(
            f"{op!r} does not take fewer classes than the file has room for ({error}), so they "
            "cannot be left out. Convert the base again with room for just the classes it has."
        ) from error
    for tensor, (shape, _) in zip(op.outputs, specs, strict=True):
        if tensor.shape != shape:
            tensor.shape, tensor.shape_signature = shape, None
            yield tensor
