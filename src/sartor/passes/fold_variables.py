"""Replace variables by constants."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from ..errors import ConversionError
from ..graph import Graph, Op, Tensor
from ..ops import assigned_constants, infer_outputs, variable_name

__all__ = ["fold_variables", "initial_values"]


def initial_values(graph: Graph) -> dict[str, np.ndarray]:
    """Return the constants that a graph assigns to variables: name → value."""
    return {name: constant.value for name, constant in assigned_constants(graph)}


def fold_variables(
    graph: Graph, values: Mapping[str, np.ndarray], *, exclusive: bool = False
) -> None:
    """Replace READ_VARIABLE by constants, and update the shapes that depend on them.

    Args:
        graph: changed in place. Variables without a value stay.
        values: name → float32 array. An axis can be shorter than that of the variable.
        exclusive: whether each constant has its own buffer (see `Tensor.exclusive`).

    Raises:
        ConversionError: If an op does not allow the shorter axis.
    """
    changed: set[Tensor] = set()
    for op in list(graph.ops):
        if op.code == "READ_VARIABLE" and variable_name(op) in values:
            name, old = variable_name(op), op.output
            new = graph.constant(values[name], name, exclusive=exclusive)
            graph.replace_uses(old, new)
            if new.shape != old.shape:
                changed.add(new)
    for op in graph.ops:
        if changed.intersection(op.inputs):
            changed.update(_infer_shapes(op))


def _infer_shapes(op: Op) -> Iterator[Tensor]:
    """Infer the shapes of an op's outputs again; yield the outputs whose shape changes."""
    try:
        specs = infer_outputs(op.code, op.inputs, op.options)
    except ConversionError as error:
        raise ConversionError(
            f"{op!r} does not allow fewer classes than the capacity ({error}): convert the base "
            "again with a capacity equal to the number of classes"
        ) from error
    for tensor, (shape, _) in zip(op.outputs, specs, strict=True):
        if tensor.shape != shape:
            tensor.shape, tensor.shape_signature = shape, None
            yield tensor
