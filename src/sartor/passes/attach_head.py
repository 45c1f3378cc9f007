"""Put the head on the base: its variables, and the signature `infer`."""

from __future__ import annotations

import numpy as np

from ..contract.names import MASK, OUTPUT, RANDOM_STATE, TEMPERATURE
from ..errors import ConversionError
from ..graph import Graph, Tensor
from ..heads import first_random_state
from ..ops import div
from .plan import Plan, Workspace

__all__ = ["attach_head", "calibrated_output"]


def attach_head(plan: Plan, base: Graph) -> None:
    """Make the head's variables, and let the base's graph end in the head.

    `infer` yields features and output in one pass over one graph: a second graph over the same
    base would pack its weights in memory a second time.

    Args:
        plan: gets the variables and the signature.
        base: its outputs are the features; becomes the graph of `infer`.
    """
    _make_variables(plan)
    work = Workspace(plan, "infer", base)
    features = list(base.outputs)
    output = calibrated_output(work, features)
    work.sign({OUTPUT: output, **{tensor.name: tensor for tensor in features}})
    base.prune()


def calibrated_output(work: Workspace, features: list[Tensor]) -> Tensor:
    """What the user sees: the head on the features, its logits divided by the temperature."""
    head = work.plan.head
    logits = head.logits(features, work.parameters())
    return head.loss.output(div(logits, work.read(TEMPERATURE)), work.read(MASK))


def _make_variables(plan: Plan) -> None:
    shapes = [spec.shape for spec in plan.features]
    for parameter in plan.head.parameters(shapes, plan.capacity):
        if not np.isfinite(parameter.initial).all():
            raise ConversionError(f"the head's initial {parameter.name!r} has values not finite")
        plan.add_variable(
            f"head/{parameter.name}",
            "parameter" if parameter.trained else "statistic",
            parameter.initial,
            class_axis=parameter.class_axis,
        )
    active = np.array([name is not None for name in plan.classes], np.float32)
    plan.add_variable(MASK, "mask", active, class_axis=0)
    plan.add_variable(TEMPERATURE, "temperature", np.ones(1, np.float32))
    if plan.random_head is not None:
        plan.add_variable(RANDOM_STATE, "random_state", first_random_state())
