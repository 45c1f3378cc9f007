"""From a row to a gradient: fused activations and broadcasting undone once, for all ops."""

from __future__ import annotations

from ..errors import GradientError
from ..graph import Op, Tensor
from ._activation import Activation, activation_of, derivative_at
from .elementwise import mul
from .reduce import reduce_sum
from .registry import State, row_of
from .shape import reshape_like

__all__ = ["input_gradient", "output_gradient", "sum_to"]


def input_gradient(op: Op, index: int, g: Tensor) -> Tensor | None:
    """Emit the gradient of one input of an op, or return None where it is zero.

    Args:
        op: an op that has a row.
        index: which input; must not be left out.
        g: what `output_gradient` gave, in the shape of the op's output.

    Raises:
        GradientError: the input is not differentiable, or not yet supported.
    """
    row = row_of(op)
    rule = row.gradient(index)
    if rule is State.ZERO:
        return None
    if isinstance(rule, State):
        raise GradientError(
            f"the gradient of {op!r} with respect to its input {index} ({op.input(index)!r}) is "
            f"{rule.value}. Choose features behind this op (`features=`), so that it stays in "
            "the frozen base, or use another op in the head."
        )
    try:
        result = rule(op, index, g)
    except ValueError as error:
        raise GradientError(f"the gradient of {op!r} is not yet supported: {error}") from error
    return sum_to(result, op.input(index)) if row.broadcasts else result


def output_gradient(op: Op, g: Tensor) -> Tensor:
    """Take the gradient of an op's output back through its fused activation.

    Raises:
        GradientError: LiteRT does not run the activation.
    """
    if not row_of(op).activation:
        return g
    try:
        kind = activation_of(op.options)
    except GradientError as error:
        raise GradientError(f"{op!r}: {error}") from error
    return g if kind is Activation.NONE else mul(g, derivative_at(op.output, kind))


def sum_to(g: Tensor, target: Tensor) -> Tensor:
    """Sum a gradient over the axes along which `target` was broadcast.

    Args:
        g: a shape that `target` was broadcast to.
        target: the input whose gradient this is.
    """
    if g.shape == target.shape:
        return g
    extra = g.rank - target.rank
    padded = (1,) * extra + target.shape
    axes = [
        axis
        for axis, (have, want) in enumerate(zip(g.shape, padded, strict=True))
        if axis < extra or (want == 1 and have != 1)
    ]
    if all(axis < extra for axis in axes):
        return reduce_sum(g, axes)
    summed = reduce_sum(g, axes, keep_dims=True)
    return reshape_like(summed, target) if extra else summed
