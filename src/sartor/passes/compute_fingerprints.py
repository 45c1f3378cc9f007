"""Compute the fingerprints of a personalizable file."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from ..contract.manifest import Fingerprints, InputSpec
from ..graph.content_hash import hash_data, hash_graph
from .plan import Plan

__all__ = ["compute_fingerprints"]


def compute_fingerprints(plan: Plan) -> Fingerprints:
    """Return the fingerprints of base, head and optimizer.

    Args:
        plan: a plan with the signature `infer`.
    """
    (infer,) = (each for each in plan.model.signatures if each.key == "infer")
    features = [infer.outputs[spec.name] for spec in plan.features]
    base = {
        "graph": hash_graph(infer.graph, features),
        "inputs": [_preprocessing(spec) for spec in plan.inputs],
    }
    variables = [*plan.variables_with_role("parameter"), *plan.variables_with_role("statistic")]
    head = {
        "name": plan.head.name,
        "settings": dict(plan.head.identity()),
        "features": [spec.shape for spec in plan.features],
        "parameters": [
            [v.name, [n for axis, n in enumerate(v.shape) if axis != v.class_axis], v.class_axis]
            for v in variables
        ],
    }
    optimizer = {
        "name": plan.optimizer.name,
        "parameter_state": plan.optimizer.parameter_state,
        "shared_state": plan.optimizer.shared_state,
    }
    return Fingerprints(hash_data(base), hash_data(head), hash_data(optimizer))


def _preprocessing(spec: InputSpec) -> dict[str, Any]:
    """Return all fields of a spec but its name."""
    return {name: value for name, value in asdict(spec).items() if name != "name"}
