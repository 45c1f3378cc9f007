"""Attach the loss to the head: shared by `evaluate` and `train`."""

from __future__ import annotations

from ..contract.names import LABELS, MASK, SAMPLE_WEIGHTS
from ..graph import Tensor
from ..losses import weighted_mean
from ..ops import mul
from .signature_builder import SignatureBuilder

__all__ = ["attach_loss"]


def attach_loss(builder: SignatureBuilder, logits: Tensor) -> Tensor:
    """Add the inputs `labels` and `weights`, and return the loss, [1].

    The loss is the weighted mean over the samples. If each output has a weight of its own, only
    outputs of active classes count.

    Args:
        builder: the signature.
        logits: [B, C].
    """
    plan, loss = builder.plan, builder.plan.head.loss
    outputs = (plan.batch_size, plan.capacity)
    labels = builder.input(LABELS, outputs)
    weights = builder.input(
        SAMPLE_WEIGHTS, outputs if loss.weights_per_output else (plan.batch_size,)
    )
    mask = builder.read(MASK)
    if loss.weights_per_output:
        weights = mul(weights, mask)
    return weighted_mean(loss.rows(logits, labels, mask), weights)
