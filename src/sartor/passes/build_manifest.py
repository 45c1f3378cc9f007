"""Build the manifest of a personalizable file."""

from __future__ import annotations

from .._version import __version__
from ..contract.consistency import contradictions
from ..contract.digest import model_digest
from ..contract.manifest import (
    Fingerprints,
    FrozenSpec,
    HeadSpec,
    LayersSpec,
    LossSpec,
    Manifest,
    OptimizerSpec,
    VariableSpec,
)
from ..contract.names import VARIABLE_TENSORS
from ..errors import ConversionError
from ..flatbuffer import Written
from .plan import Plan

__all__ = ["build_manifest"]


def build_manifest(
    plan: Plan,
    fingerprints: Fingerprints,
    file: Written,
) -> Manifest:
    """Return the manifest of a written model.

    Args:
        plan: the parts of the model.
        fingerprints: its fingerprints.
        file: the flatbuffer, without appended files, with a plain classifier at its end.

    Raises:
        ConversionError: If head, loss or optimizer contradict the contract, so that no runtime
            would accept the file.
    """
    head, loss, optimizer = plan.head, plan.head.loss, plan.optimizer
    variables = tuple(
        VariableSpec(
            v.name, v.shape, v.role, v.class_axis, v.parameter, file.ranges[v.initial][0], v.rate
        )
        for v in plan.variables.values()
    )
    manifest = Manifest(
        inputs=tuple(plan.inputs),
        features=tuple(plan.features),
        batch_size=plan.batch_size,
        classes=plan.classes,
        task=loss.task,
        weights_per_output=loss.weights_per_output,
        head=HeadSpec(head.name, head.settings(), head.feature_norm),
        loss=LossSpec(loss.name, loss.settings(), loss.curvature),
        optimizer=OptimizerSpec(
            optimizer.name, optimizer.settings(), optimizer.step, optimizer.clip_norm
        ),
        learning_rate=optimizer.learning_rate,
        weight_decay=optimizer.weight_decay,
        variables=variables,
        fingerprints=fingerprints,
        layers=_layers(plan),
        frozen=FrozenSpec(file.tail, file.class_counts),
        requires=_requirements(plan),
        generator=f"sartor {__version__}",
        digest=model_digest(file.content),
    )
    contradiction = next(contradictions(manifest), None)
    if contradiction is not None:
        raise ConversionError(
            f"no runtime would accept the file, because {contradiction}: correct the attributes of "
            f"{head.name!r}, {loss.name!r} or {optimizer.name!r}"
        )
    return manifest


def _layers(plan: Plan) -> LayersSpec | None:
    tuned = plan.tuned_head
    return None if tuned is None else LayersSpec(tuned.top_features, tuned.top.feature_norm)


def _requirements(plan: Plan) -> tuple[str, ...]:
    """Return the features that a runtime must support."""
    tensors = (tensor for graph in plan.model.graphs for tensor in graph.tensors)
    return (VARIABLE_TENSORS,) if any(tensor.is_variable for tensor in tensors) else ()
