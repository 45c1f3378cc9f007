"""The resource variables of a model: what the signatures of a file that trains share."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from ..graph import Graph, Model, Op, Tensor
from ..passes.cut import called_from
from .records import VariableFacts

__all__ = ["variables_of"]


@dataclass
class _Found:
    value: Tensor | None = None
    read_by: dict[str, None] = field(default_factory=dict)
    written_by: dict[str, None] = field(default_factory=dict)


def variables_of(model: Model) -> tuple[VariableFacts, ...]:
    """Each variable, and the signatures that read and write it (but for its first value)."""
    found: dict[str, _Found] = {}
    for key, graph in _runs(model):
        for op in graph.ops:
            name = _name(op)
            if name is None:
                continue
            variable = found.setdefault(name, _Found())
            value = op.output if op.code == "READ_VARIABLE" else op.input(1)
            variable.value = variable.value or value
            users = variable.read_by if op.code == "READ_VARIABLE" else variable.written_by
            users[key] = None
    return tuple(
        VariableFacts(
            name,
            v.value.dtype.name.lower() if v.value is not None else None,
            v.value.shape if v.value is not None else None,
            tuple(v.read_by),
            tuple(v.written_by),
        )
        for name, v in found.items()
    )


def _runs(model: Model) -> Iterator[tuple[str, Graph]]:
    """Each graph that a signature runs, under its key; without signatures, the first graph."""
    signatures = [(each.key, each.graph) for each in model.signatures] or [("", model.main)]
    for key, graph in signatures:
        once = [op.options["initSubgraphIndex"] for op in graph.ops if op.code == "CALL_ONCE"]
        for called in called_from(graph):
            if called not in once:
                yield key, called


def _name(op: Op) -> str | None:
    """The variable that an op reads or writes, where its handle is made beside it."""
    if op.code not in ("READ_VARIABLE", "ASSIGN_VARIABLE"):
        return None
    maker = op.input(0).producer
    if maker is None or maker.code != "VAR_HANDLE":
        return None
    name = maker.options.get("sharedName") or ""
    return name.decode(errors="replace") if isinstance(name, bytes) else str(name)
