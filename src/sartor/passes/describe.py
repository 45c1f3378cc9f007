"""What the file tells people and other tools of its inputs and outputs."""

from __future__ import annotations

from collections.abc import Sequence

from ..graph import Graph, Model, Tensor
from ..manifest import InputSpec, Manifest

__all__ = ["describe_inputs"]


def describe_inputs(
    model: Model,
    graph: Graph,
    before: Manifest | None,
    mean: float | Sequence[float] | None,
    std: float | Sequence[float] | None,
) -> list[InputSpec]:
    """TODO."""
    return [InputSpec(t.name, t.shape, t.dtype.name.lower(), _kind(t)) for t in graph.inputs]


def _kind(t: Tensor) -> str:
    return "image" if t.rank == 4 and t.shape[-1] == 3 else "tensor"
