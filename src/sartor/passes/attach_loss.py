"""Attach the loss: the signature `evaluate`, and the first half of `train`."""

from __future__ import annotations

from collections.abc import Sequence

from ..contract.names import LABELS, LOSS, MASK, OUTPUT, TEMPERATURE, WEIGHTS
from ..graph import Tensor
from ..losses import weighted_mean
from ..ops import add, div, mul
from .plan import Plan, Workspace

__all__ = ["attach_evaluate", "batch_logits", "batch_loss"]


def attach_evaluate(plan: Plan) -> None:
    """Add `evaluate`: loss and output of a batch at the fitted temperature, changing nothing."""
    work = Workspace(plan, "evaluate")
    logits = div(batch_logits(work, work.feature_inputs()), work.read(TEMPERATURE))
    loss = batch_loss(work, logits)
    work.sign({LOSS: loss, OUTPUT: plan.head.loss.output(logits, work.read(MASK))})


def batch_logits(work: Workspace, features: Sequence[Tensor]) -> Tensor:
    """The head's logits for a batch: [B, C]."""
    return work.plan.head.logits(features, work.parameters())


def batch_loss(work: Workspace, logits: Tensor) -> Tensor:
    """What training makes small: the weighted mean over the samples, and the head's penalty.

    Where each output has a weight, the mean is over those of active classes: free slots do not
    thin it out.

    Adds the inputs `labels` and `weights`.

    Returns:
        [1].
    """
    plan = work.plan
    labels = work.input(LABELS, (plan.batch, plan.capacity))
    each = (plan.batch, plan.capacity) if plan.head.loss.weights_per_output else (plan.batch,)
    weights = work.input(WEIGHTS, each)
    mask = work.read(MASK)
    counted = mul(weights, mask) if plan.head.loss.weights_per_output else weights
    loss = weighted_mean(plan.head.loss.rows(logits, labels, mask), counted)
    penalty = plan.head.penalty(work.parameters())
    return loss if penalty is None else add(loss, penalty)
