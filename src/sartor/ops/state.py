"""State variables, which a file keeps between calls and all of its signatures share.

Functions of this module emit their ops, and not `emit`: the outputs do not follow from the inputs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..graph import DType, Graph, Op, Tensor
from .control import unknown_count
from .registry import NOT_DIFFERENTIABLE, OpRow, Spec, register

__all__ = [
    "assign_variable",
    "assigned_constants",
    "call_once",
    "read_variable",
    "var_handle",
    "variable_name",
]


def var_handle(graph: Graph, name: str) -> Tensor:
    """Return the handle of the variable `name`: RESOURCE [1]."""
    handle = graph.tensor(name, DType.RESOURCE, (1,))
    options = {"container": "", "sharedName": name}
    graph.add(Op("VAR_HANDLE", (), (handle,), options=options, options_type="VarHandleOptions"))
    return handle


def read_variable(handle: Tensor, shape: Sequence[int], *, name: str) -> Tensor:
    """Return the value of a variable: float32, in the shape of its initial value."""
    value = handle.graph.tensor(name, DType.FLOAT32, shape)
    handle.graph.add(Op("READ_VARIABLE", (handle,), (value,), options_type="ReadVariableOptions"))
    return value


def assign_variable(handle: Tensor, value: Tensor) -> None:
    """Assign another value of the same shape to a variable."""
    options_type = "AssignVariableOptions"
    handle.graph.add(Op("ASSIGN_VARIABLE", (handle, value), (), options_type=options_type))


def call_once(graph: Graph, initializer: Graph) -> None:
    """Run `initializer` before the first call of `graph`, once for all signatures."""
    options = {"initSubgraphIndex": initializer}
    graph.add(Op("CALL_ONCE", (), (), options=options, options_type="CallOnceOptions"))


def assigned_constants(graph: Graph) -> list[tuple[str, Tensor]]:
    """Return each constant that a graph assigns to a variable, with the name of the variable."""
    return [
        (variable_name(op), op.input(1))
        for op in graph.ops
        if op.code == "ASSIGN_VARIABLE" and op.input(1).is_constant
    ]


def variable_name(op: Op) -> str:
    """Return the name of the variable that an op reads or writes, or an empty string."""
    handle = op.input(0).producer
    return str(handle.options["sharedName"]) if handle and handle.code == "VAR_HANDLE" else ""


def _refuse(_: Sequence[Tensor | None], __: Mapping[str, Any]) -> list[Spec]:
    raise ValueError("variables are emitted by the functions of sartor.ops.state")


register(
    OpRow("VAR_HANDLE", gradients=(), infer=_refuse, inputs=0, any_types=True),
    OpRow(
        "READ_VARIABLE", gradients=(NOT_DIFFERENTIABLE,), infer=_refuse, takes_handle=True,
        returns_strings=True,
    ),
    OpRow(
        "ASSIGN_VARIABLE", gradients=(NOT_DIFFERENTIABLE, NOT_DIFFERENTIABLE), infer=_refuse,
        inputs=2, outputs=0, takes_handle=True,
    ),
    OpRow(
        "CALL_ONCE", gradients=(), infer=_refuse, multiply_adds=unknown_count, inputs=0,
        outputs=0,
    ),
    family="State variables",
)  # fmt: skip
