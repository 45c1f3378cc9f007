"""Attach the head to the base: its variables, and the signature `infer`."""

from __future__ import annotations

import numpy as np

from ..contract.names import HEAD_FEATURES, MASK, OUTPUT, RANDOM_STATE, TEMPERATURE, WEIGHT_DECAY
from ..errors import ConversionError
from ..graph import Graph
from ..heads import Head, initial_random_state
from ..ops import div
from .plan import Plan
from .signature_builder import SignatureBuilder

__all__ = ["attach_head"]


def attach_head(plan: Plan, base: Graph) -> None:
    """Add the head's variables, and `infer`: the base followed by the head.

    Before: the base, its outputs are the features. After: the same graph, its outputs are the
    head's output, the features, and those behind tuned layers. A second graph over the same base
    would pack its weights in memory a second time.

    Args:
        plan: gets the variables and the signature.
        base: the graph of the base; becomes the graph of `infer`.
    """
    _add_variables(plan)
    builder = SignatureBuilder(plan, "infer", base)
    features = list(base.outputs)
    outputs = {tensor.name: tensor for tensor in features}
    head: Head = plan.head
    if plan.tuned_head is not None:
        rows = plan.tuned_head.run_layers(features, builder.head_parameters())
        head, features, outputs[HEAD_FEATURES] = plan.tuned_head.top, [rows], rows
    logits = head.logits(features, builder.head_parameters())
    logits = div(logits, builder.read(TEMPERATURE))
    builder.finish({OUTPUT: head.loss.output(logits, builder.read(MASK)), **outputs})
    base.prune()


def _add_variables(plan: Plan) -> None:
    shapes = [spec.shape for spec in plan.features]
    for parameter in plan.head.parameters(shapes, plan.capacity):
        if not np.isfinite(parameter.initial).all():
            raise ConversionError(
                f"the initial value of the head's {parameter.name!r} is not finite"
            )
        plan.add_variable(
            f"head/{parameter.name}",
            "parameter" if parameter.trainable else "statistic",
            parameter.initial,
            class_axis=parameter.class_axis,
            rate=parameter.rate,
        )
    active = np.array([name is not None for name in plan.classes], np.float32)
    plan.add_variable(MASK, "mask", active, class_axis=0)
    plan.add_variable(TEMPERATURE, "temperature", np.ones(1, np.float32))
    weight_decay = np.full(1, plan.optimizer.weight_decay or 0, np.float32)
    plan.add_variable(WEIGHT_DECAY, "weight_decay", weight_decay)
    if plan.dropout_head is not None:
        plan.add_variable(RANDOM_STATE, "random_state", initial_random_state())
