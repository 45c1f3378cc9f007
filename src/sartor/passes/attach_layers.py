"""Attach the signatures of tuned layers, and those of the head behind them."""

from __future__ import annotations

from ..contract.names import FEATURES, HEAD_FEATURES, RUN_LAYERS
from ..contract.signatures import head_signature, numbered
from ..heads.fine_tune import TunedHead
from .attach_evaluate import attach_evaluate
from .attach_set_class import attach_set_class
from .attach_train import attach_train
from .plan import Plan
from .signature_builder import SignatureBuilder

__all__ = ["attach_layers"]


def attach_layers(plan: Plan) -> None:
    """Add `run_layers`, and `train`, `evaluate` and `set_class` of the head alone.

    With them, a runtime trains the head first, on features that it computes once: a hundred times
    as fast as a step of head and layers. Nothing is added without tuned layers.
    """
    tuned = plan.tuned_head
    if tuned is None:
        return
    _attach_run_layers(plan, tuned)
    head = plan.of_head(tuned)
    attach_evaluate(head, head_signature("evaluate"))
    attach_train(head, head_signature("train"))
    attach_set_class(head, head_signature("set_class"))


def _attach_run_layers(plan: Plan, tuned: TunedHead) -> None:
    """Add `run_layers`: from the features of a sample to those of the head."""
    builder = SignatureBuilder(plan, RUN_LAYERS)
    features = [
        builder.input(numbered(FEATURES, index), (1, *spec.shape))
        for index, spec in enumerate(plan.features)
    ]
    builder.finish({HEAD_FEATURES: tuned.run_layers(features, builder.head_parameters())})
