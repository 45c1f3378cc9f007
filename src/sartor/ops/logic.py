"""Comparison, logic and selection."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from ..graph import DType, Op, Tensor
from ._shapes import broadcast_output, broadcast_shape, broadcast_spec, required
from ._versions import BOOL, I16, INT8_2, INT16_3, STRING, U32, VersionRule, has_type
from .builder import Operand, emit
from .registry import NOT_DIFFERENTIABLE, ZERO, OpRow, Spec, register

__all__ = ["greater", "select"]


def greater(x: Operand, y: Operand) -> Tensor:
    """Return `x > y` as BOOL, broadcast."""
    return emit("GREATER", x, y)


def select(condition: Tensor, x: Operand, y: Operand) -> Tensor:
    """Return `x` where the condition (BOOL) is true, elsewhere `y`, broadcast."""
    return emit("SELECT_V2", condition, x, y)


def _infer_comparison(inputs: Sequence[Tensor | None], options: Mapping[str, Any]) -> list[Spec]:
    return [(broadcast_spec(inputs, options)[0][0], DType.BOOL)]


def _infer_selection(inputs: Sequence[Tensor | None], _: Mapping[str, Any]) -> list[Spec]:
    condition, x, y = map(required, inputs)
    return [(broadcast_shape(condition.shape, x.shape, y.shape), x.dtype)]


def _select_gradient(op: Op, index: int, g: Tensor) -> Tensor:
    condition = op.input(0)
    return select(condition, g, 0.0) if index == 1 else select(condition, 0.0, g)


def _infer_old_selection(inputs: Sequence[Tensor | None], options: Mapping[str, Any]) -> list[Spec]:
    """SELECT takes a vector as a condition for each row, which is not supported."""
    condition, x, y = map(required, inputs)
    if not condition.shape == x.shape == y.shape:
        raise ValueError("the three inputs must have one shape")
    return _infer_selection(inputs, options)


def _infer_logic(inputs: Sequence[Tensor | None], _: Mapping[str, Any]) -> list[Spec]:
    return [(broadcast_shape(*(required(x).shape for x in inputs)), DType.BOOL)]


def _comparison(
    code: str, reference: Callable[[Any, Any], Any], versions: tuple[VersionRule, ...]
) -> OpRow:
    return OpRow(
        code, gradients=(ZERO, ZERO), infer=_infer_comparison,
        reference=lambda xs, _: [reference(*xs)], options=_options(code), broadcasts=True,
        output_shape=broadcast_output, inputs=2, versions=versions,
    )  # fmt: skip


def _logic(code: str, reference: Callable[..., Any], inputs: int = 2) -> OpRow:
    return OpRow(
        code, gradients=(NOT_DIFFERENTIABLE,), infer=_infer_logic,
        reference=lambda xs, _: [reference(*xs)], options=_options(code), broadcasts=inputs > 1,
        output_shape=broadcast_output, inputs=inputs,
    )  # fmt: skip


def _options(code: str) -> str:
    """Return the name of the options table: `LessEqualOptions` of LESS_EQUAL."""
    return "".join(word.capitalize() for word in code.split("_")) + "Options"


register(
    _comparison("GREATER", np.greater, INT8_2),
    _comparison("GREATER_EQUAL", np.greater_equal, INT16_3),
    _comparison("LESS", np.less, INT16_3),
    _comparison("LESS_EQUAL", np.less_equal, INT8_2),
    _comparison("EQUAL", np.equal, ((4, has_type(I16)), (3, has_type(STRING)), *INT8_2)),
    _comparison("NOT_EQUAL", np.not_equal, ((3, has_type(STRING)), *INT8_2)),
    _logic("LOGICAL_AND", np.logical_and),
    _logic("LOGICAL_OR", np.logical_or),
    _logic("LOGICAL_NOT", np.logical_not, 1),
    OpRow(
        "SELECT_V2", gradients=(ZERO, _select_gradient, _select_gradient), infer=_infer_selection,
        reference=lambda xs, _: [np.where(xs[0], xs[1], xs[2])], options="SelectV2Options",
        broadcasts=True, output_shape=broadcast_output, inputs=3, versions=((2, has_type(U32)),),
    ),
    OpRow(
        "SELECT", gradients=(ZERO, _select_gradient, _select_gradient),
        infer=_infer_old_selection, reference=lambda xs, _: [np.where(*xs)],
        options="SelectOptions", inputs=3,
        versions=(
            (4, has_type(U32)),
            (3, lambda op: 5 in (op.rank(0), op.rank(1), op.rank(2))),
            *INT8_2,
        ),
    ),
    OpRow(
        "WHERE", gradients=(ZERO,), dynamic_output=True,
        versions=((2, lambda op: op.x is not BOOL),),
    ),
    family="Comparison, logic and selection",
)  # fmt: skip
