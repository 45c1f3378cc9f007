"""Attach the signature `evaluate`."""

from __future__ import annotations

from ..contract.names import LOSS, MASK, OUTPUT, TEMPERATURE
from ..ops import div
from .attach_loss import attach_loss
from .plan import Plan
from .signature_builder import SignatureBuilder

__all__ = ["attach_evaluate"]


def attach_evaluate(plan: Plan, key: str = "evaluate") -> None:
    """Add a signature `evaluate`: loss and output of a batch at the current temperature.

    The new graph contains the head and the loss; it changes no variable.

    Args:
        plan: gets the signature.
        key: name of the signature.
    """
    builder = SignatureBuilder(plan, key)
    features = builder.feature_inputs()
    logits = plan.head.logits(features, builder.head_parameters())
    logits = div(logits, builder.read(TEMPERATURE))
    loss = attach_loss(builder, logits)
    output = plan.head.loss.output(logits, builder.read(MASK))
    builder.finish({LOSS: loss, OUTPUT: output})
