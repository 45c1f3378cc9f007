"""Collect the parts of a new file, and attach its signatures."""

from __future__ import annotations

from dataclasses import replace

from ._conversion_options import ConversionOptions
from .graph import Graph, Model
from .heads import Head
from .passes import (
    Plan,
    PreparedBase,
    adapt_features,
    add_optimizer_state,
    attach_evaluate,
    attach_head,
    attach_layers,
    attach_set_class,
    attach_state,
    attach_train,
    simplify,
    split_variable_reads,
    use_fast_forms,
)

__all__ = ["attach_signatures", "make_plan"]


def make_plan(
    prepared: PreparedBase, options: ConversionOptions, head: Head, *, normalize: bool
) -> Plan:
    """Adapt the features to the head, and collect the parts of the new model."""
    features = adapt_features(prepared.graph, flat=head.flat, normalize=normalize)
    if prepared.features:
        features = [
            replace(previous, shape=spec.shape)
            for previous, spec in zip(prepared.features, features, strict=True)
        ]
    return Plan(
        model=prepared.model,
        head=head,
        optimizer=options.optimizer,
        batch_size=options.batch_size,
        classes=options.classes,
        inputs=prepared.inputs,
        features=features,
    )


def attach_signatures(plan: Plan, base: Graph) -> None:
    """Add all signatures and the initializer to the model, and simplify their graphs."""
    attach_head(plan, base)
    attach_evaluate(plan)
    add_optimizer_state(plan)
    attach_train(plan)
    attach_set_class(plan)
    attach_layers(plan)
    attach_state(plan)
    plan.model.graphs.append(plan.initializer)
    _simplify(plan.model)


def _simplify(model: Model) -> None:
    """Simplify all graphs but that of the base, and split the variable reads of all graphs.

    `infer` keeps its convolutions: it runs one sample, and is frozen to a classifier.
    """
    for signature in model.signatures:
        if signature.key != "infer":
            use_fast_forms(signature.graph)
            simplify(signature.graph)
        split_variable_reads(signature.graph)
