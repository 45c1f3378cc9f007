"""Attach the signature `set_class`: add and clear classes on the device."""

from __future__ import annotations

from collections.abc import Mapping

from ..contract.names import ACTIVE, CLASS_ONE_HOT, DONE, MASK, SAMPLE_WEIGHTS
from ..graph import Tensor
from ..heads import NormalizingHead
from ..ops import add, greater, mul, reduce_sum, reshape, select, sub, zeros_like
from .plan import Plan, Variable
from .signature_builder import SignatureBuilder

__all__ = ["attach_set_class"]


def attach_set_class(plan: Plan, key: str = "set_class") -> None:
    """Add a signature `set_class`, which does one of three things.

    - With a class and `active` 1 it imprints the class from the features.
    - With a class and `active` 0 it clears the class.
    - Without a class and `active` 1 it computes the normalization statistics of the head.

    In a variable with a class axis only the part of the class changes: to the imprinted value
    (parameters), to `active` (mask) or to 0 (optimizer state). A variable without a class axis
    changes only if the head computes a value for it. Values are selected, not multiplied, so that
    a class with NaN weights can be cleared.

    Args:
        plan: gets the signature.
        key: name of the signature.
    """
    builder = SignatureBuilder(plan, key)
    class_one_hot = builder.input(CLASS_ONE_HOT, (plan.capacity,))
    features = builder.feature_inputs()
    sample_weights = builder.input(SAMPLE_WEIGHTS, (plan.batch_size,))
    active = builder.input(ACTIVE, (1,))

    is_active = greater(active, 0.5)
    is_class = greater(class_one_hot, 0.5)
    has_class = reduce_sum(class_one_hot, [0], keep_dims=True)
    imprints = greater(mul(active, has_class), 0.5)
    other_classes = mul(builder.read(MASK), select(is_class, 0.0, 1.0))
    parameters = builder.head_parameters()
    imprinted = _variables(plan.head.imprint(features, sample_weights, parameters, other_classes))
    normalizes = greater(mul(active, sub(1.0, has_class)), 0.5)
    statistics: dict[str, Tensor] = {}
    if isinstance(plan.head, NormalizingHead):
        statistics = _variables(
            plan.head.normalization_statistics(features, sample_weights, parameters)
        )

    for variable in plan.variables.values():
        name, previous = variable.name, builder.read(variable.name)
        if variable.class_axis is not None:
            selected = _broadcastable(is_class, variable)
            value: Tensor | float = active if name == MASK else 0.0
            if name in imprinted:
                value = select(is_active, imprinted[name], 0.0)
            builder.assign(name, select(selected, value, previous))
        elif name in imprinted:
            builder.assign(name, select(imprints, imprinted[name], previous))
        elif name in statistics:
            builder.assign(name, select(normalizes, statistics[name], previous))
    builder.finish({DONE: add(zeros_like(active), 1.0)})


def _variables(values: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return values of the head under the names of their variables."""
    return {f"head/{name}": value for name, value in values.items()}


def _broadcastable(is_class: Tensor, variable: Variable) -> Tensor:
    """Reshape [C] so that it broadcasts along the class axis of a variable."""
    rank = len(variable.shape)
    if variable.class_axis == rank - 1:
        return is_class
    return reshape(
        is_class, [is_class.size if axis == variable.class_axis else 1 for axis in range(rank)]
    )
