"""The table of ops: one row says all that Sartor knows of an op.

Each input of each op is in one of four states, all visible in its row: a gradient *rule*, a
gradient that is *zero*, *not differentiable*, or *not yet supported*. An op without a row passes
through conversion untouched.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, TypeAlias

from ..errors import GradientError
from ..graph import DType, Op, Tensor

__all__ = ["ROWS", "Gradient", "OpRow", "Rule", "Spec", "State", "register", "row_of"]

Spec: TypeAlias = tuple[tuple[int, ...], DType]
"""Shape and type of an output."""

Rule: TypeAlias = Callable[[Op, int, Tensor], Tensor]
"""`(op, index, g) → gradient of input index`, where `g` is the gradient of the op's output.

With `broadcasts`, the result may have the output's shape: it is summed to the input's."""

Infer: TypeAlias = Callable[[Sequence[Tensor | None], Mapping[str, Any]], list[Spec]]
Reference: TypeAlias = Callable[[Sequence[Any], Mapping[str, Any]], Sequence[Any]]
Cost: TypeAlias = Callable[[Op], int]


class State(Enum):
    """Why an input has no gradient rule."""

    ZERO = "zero gradient"
    NOT_DIFFERENTIABLE = "not differentiable"
    NOT_YET = "not yet supported"


Gradient: TypeAlias = Rule | State


def _one_each(op: Op) -> int:
    """Cost of an elementwise op: one operation for each element of its output."""
    return op.output.size


@dataclass(frozen=True)
class OpRow:
    """What Sartor knows of one op.

    Attributes:
        code: the builtin operator's name.
        infer: `(inputs, options) → (shape, dtype)` of each output.
        gradients: the state of each input; the last one also serves all further inputs.
        reference: the op in NumPy, in the precision of its inputs: `(arrays, options) → arrays`;
            None for ops that have no value of their own (variables).
        options: the schema's name of the options table, or None.
        defaults: option fields whose defaults here differ from the schema's.
        broadcasts: inputs of different shapes are broadcast together.
        activation: the op has a fused activation.
        cost: floating-point operations, counting a multiply-add as two.
    """

    code: str
    infer: Infer
    gradients: tuple[Gradient, ...]
    reference: Reference | None
    options: str | None = None
    defaults: Mapping[str, Any] = field(default_factory=dict)
    broadcasts: bool = False
    activation: bool = False
    cost: Cost = _one_each

    def gradient(self, index: int) -> Gradient:
        """The state of the input at `index`."""
        return self.gradients[min(index, len(self.gradients) - 1)]


ROWS: dict[str, OpRow] = {}
"""Op code → row."""


def register(*rows: OpRow) -> None:
    """Add rows; raises ValueError when an op has one already."""
    for row in rows:
        if row.code in ROWS:
            raise ValueError(f"{row.code} has a row already")
        ROWS[row.code] = row


def row_of(op: Op) -> OpRow:
    """The row of an op.

    Raises:
        GradientError: there is none.
    """
    row = ROWS.get(op.code)
    if row is None:
        raise GradientError(
            f"{op!r}: Sartor has no row for {op.name}, so it cannot be differentiated. "
            "Choose features behind it (`features=`), so that it stays in the frozen base, "
            "or add a row (docs/add-a-gradient.md)."
        )
    return row
