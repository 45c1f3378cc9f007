"""From a row to a gradient: undoes fused activations and broadcasting for all ops."""

from __future__ import annotations

from collections.abc import Sequence

from ..errors import GradientError
from ..graph import Op, Tensor
from ._activation import Activation, activation_of, derivative_at
from .arithmetic import mul
from .reduce import sum_to
from .registry import GradientSupport, row_of

__all__ = ["input_gradient", "output_gradient"]

_ADVICE = {
    GradientSupport.NOT_DIFFERENTIABLE: "or use another op in the head",
    GradientSupport.NOT_SUPPORTED: (
        "use another op in the head, or add a rule (docs/add-a-gradient.md)"
    ),
}


def input_gradient(op: Op, index: int, g: Tensor | Sequence[Tensor]) -> Tensor | None:
    """Emit the gradient of one input of an op, or return None if it is zero.

    Args:
        op: op that has a row.
        index: index of the input, which must not be left out.
        g: result of `output_gradient`, in the shape of the op's output. If the op has several
            outputs, the list of their gradients.

    Raises:
        GradientError: If the input is not differentiable, or its gradient is not supported.
    """
    row = row_of(op)
    rule = row.gradient(index)
    if rule is GradientSupport.ZERO:
        return None
    if isinstance(rule, GradientSupport):
        reason = f": {row.unsupported}" if row.unsupported else ""
        raise GradientError(
            f"the gradient of {op!r} with respect to its input {index} ({op.input(index)!r}) is "
            f"{rule.value}{reason}. Choose features behind this op (`features=`), so that it stays "
            f"in the frozen base, {_ADVICE[rule]}."
        )
    try:
        result = rule(op, index, g)
    except ValueError as error:
        raise GradientError(f"the gradient of {op!r} is not yet supported: {error}") from error
    return sum_to(result, op.input(index)) if row.broadcasts else result


def output_gradient(op: Op, g: Tensor) -> Tensor:
    """Take the gradient of an op's output back through its fused activation.

    Raises:
        GradientError: If LiteRT does not run the activation.
    """
    if not row_of(op).activation:
        return g
    try:
        activation = activation_of(op.options)
    except GradientError as error:
        raise GradientError(f"{op!r}: {error}") from error
    return g if activation is Activation.NONE else mul(g, derivative_at(op.output, activation))
