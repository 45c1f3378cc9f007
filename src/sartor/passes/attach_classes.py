"""Make and remove classes on the device: the signature `set_class`."""

from __future__ import annotations

from ..contract.names import ACTIVE, CLASS_ONE_HOT, DONE, MASK, WEIGHTS
from ..graph import Tensor
from ..heads import ViewingHead
from ..ops import add, greater, mul, reduce_sum, reshape, select, sub, zeros_like
from .plan import Plan, Workspace

__all__ = ["attach_set_class"]


def attach_set_class(plan: Plan) -> None:
    """Add `set_class`: imprint one slot from features, or wipe it; or view features.

    In every variable that has a class axis the slot's part is replaced: by what the head imprints
    (parameters), by `active` (mask), by zero (optimizer). Of what has no class axis the head may
    change its own; the rest is left bit for bit as it is. Where no slot is named the head takes
    its view of the features, and no class is changed.
    Values are selected and not multiplied, so that a slot of NaN can be wiped.
    """
    work = Workspace(plan, "set_class")
    slot = work.input(CLASS_ONE_HOT, (plan.capacity,))
    features = work.feature_inputs()
    weights = work.input(WEIGHTS, (plan.batch,))
    active = work.input(ACTIVE, (1,))
    on = greater(active, 0.5)
    chosen = greater(slot, 0.5)
    named = reduce_sum(slot, [0], keep_dims=True)
    imprints = greater(mul(active, named), 0.5)
    others = mul(work.read(MASK), select(chosen, 0.0, 1.0))
    imprinted = plan.head.imprint(features, weights, work.parameters(), others)
    values = {f"head/{name}": value for name, value in imprinted.items()}
    views = greater(mul(active, sub(1.0, named)), 0.5)
    viewed = plan.head.view(features, weights) if isinstance(plan.head, ViewingHead) else {}
    for variable in plan.variables.values():
        old = work.read(variable.name)
        if variable.class_axis is not None:
            here = _along(chosen, variable.class_axis, len(variable.shape))
            value = active if variable.name == MASK else 0.0
            if variable.name in values:
                value = select(on, values[variable.name], 0.0)
            work.assign(variable.name, select(here, value, old))
        elif variable.name in values:
            work.assign(variable.name, select(imprints, values[variable.name], old))
        elif variable.name.removeprefix("head/") in viewed:
            value = viewed[variable.name.removeprefix("head/")]
            work.assign(variable.name, select(views, value, old))
    work.sign({DONE: add(zeros_like(active), 1.0)})


def _along(slot: Tensor, axis: int, rank: int) -> Tensor:
    """[C] → a shape of `rank` axes that broadcasts along `axis`."""
    if axis == rank - 1:
        return slot
    return reshape(slot, [slot.size if i == axis else 1 for i in range(rank)])
