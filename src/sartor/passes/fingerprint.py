"""Hashes over content: what of a user's data still fits another file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from ..contract.manifest import Fingerprints
from ..graph import Tensor
from ..graph.content_hash import hash_data, hash_graph
from .plan import Plan

__all__ = ["fingerprints"]


def fingerprints(plan: Plan, features: list[Tensor]) -> Fingerprints:
    """The three hashes of a plan whose base ends in `features`."""
    base = {
        "graph": hash_graph(features[0].graph, features),
        "inputs": [_preprocessing(asdict(spec)) for spec in plan.inputs],
    }
    head = {
        "name": plan.head.name,
        "settings": dict(plan.head.identity()),
        "features": [spec.shape for spec in plan.features],
        "parameters": [
            [v.name, [n for axis, n in enumerate(v.shape) if axis != v.class_axis], v.class_axis]
            for v in [*plan.named("parameter"), *plan.named("statistic")]
        ],
    }
    optimizer = {
        "name": plan.optimizer.name,
        "parameter_state": plan.optimizer.parameter_state,
        "shared_state": plan.optimizer.shared_state,
    }
    return Fingerprints(hash_data(base), hash_data(head), hash_data(optimizer))


def _preprocessing(spec: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in spec.items() if name != "name"}
