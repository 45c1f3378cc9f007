"""Variables: state that a file keeps between calls, shared by all of its signatures.

Their ops are made here and not through `emit`: what they yield does not follow from their inputs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..graph import DType, Graph, Op, Tensor
from .registry import OpRow, Spec, State, register

__all__ = ["assign_variable", "call_once", "read_variable", "var_handle"]


def var_handle(graph: Graph, name: str) -> Tensor:
    """The handle of the variable `name`: RESOURCE [1]."""
    handle = graph.tensor(name, DType.RESOURCE, (1,))
    options = {"container": "", "sharedName": name}
    graph.add(Op("VAR_HANDLE", (), (handle,), options=options, options_type="VarHandleOptions"))
    return handle


def read_variable(handle: Tensor, shape: Sequence[int], *, name: str) -> Tensor:
    """The variable's value: float32, in the shape that it was made with."""
    value = handle.graph.tensor(name, DType.FLOAT32, shape)
    handle.graph.add(Op("READ_VARIABLE", (handle,), (value,), options_type="ReadVariableOptions"))
    return value


def assign_variable(handle: Tensor, value: Tensor) -> None:
    """Give the variable another value of the same shape."""
    options_type = "AssignVariableOptions"
    handle.graph.add(Op("ASSIGN_VARIABLE", (handle, value), (), options_type=options_type))


def call_once(graph: Graph, initializer: Graph) -> None:
    """Run `initializer` before the first call of `graph`, once for all signatures."""
    options = {"initSubgraphIndex": initializer}
    graph.add(Op("CALL_ONCE", (), (), options=options, options_type="CallOnceOptions"))


def _made_here(_: Sequence[Tensor | None], __: Mapping[str, Any]) -> list[Spec]:
    raise ValueError("variables are made by the functions of sartor.ops.state")


def _row(code: str, *states: State) -> OpRow:
    return OpRow(code, _made_here, states, None, cost=lambda op: 0)


register(
    _row("VAR_HANDLE"),
    _row("READ_VARIABLE", State.NOT_DIFFERENTIABLE),
    _row("ASSIGN_VARIABLE", State.NOT_DIFFERENTIABLE, State.NOT_DIFFERENTIABLE),
    _row("CALL_ONCE"),
)
