"""Find the resource variables of a model and the signatures that use them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from ..graph import Graph, Model, Op, Tensor
from .records import VariableInfo

__all__ = ["find_variables"]


@dataclass
class _Usage:
    value: Tensor | None = None
    read_by: dict[str, None] = field(default_factory=dict)
    written_by: dict[str, None] = field(default_factory=dict)


def find_variables(model: Model) -> tuple[VariableInfo, ...]:
    """Return each variable with its readers and writers. Initialization does not count."""
    usages: dict[str, _Usage] = {}
    for key, graph in _executed_graphs(model):
        for op in graph.ops:
            name = _variable_name(op)
            if name is None:
                continue
            usage = usages.setdefault(name, _Usage())
            value = op.output if op.code == "READ_VARIABLE" else op.input(1)
            usage.value = usage.value or value
            users = usage.read_by if op.code == "READ_VARIABLE" else usage.written_by
            users[key] = None
    return tuple(
        VariableInfo(
            name,
            usage.value.dtype.name.lower() if usage.value is not None else None,
            usage.value.shape if usage.value is not None else None,
            tuple(usage.read_by),
            tuple(usage.written_by),
        )
        for name, usage in usages.items()
    )


def _executed_graphs(model: Model) -> Iterator[tuple[str, Graph]]:
    """Yield signature keys and the graphs they run; without signatures, the main graph."""
    signatures = [(each.key, each.graph) for each in model.signatures] or [("", model.main)]
    for key, graph in signatures:
        initializers = [
            op.options["initSubgraphIndex"] for op in graph.ops if op.code == "CALL_ONCE"
        ]
        for called in graph.reachable():
            if called not in initializers:
                yield key, called


def _variable_name(op: Op) -> str | None:
    """Return the name of the variable that an op reads or writes, if its handle is known."""
    if op.code not in ("READ_VARIABLE", "ASSIGN_VARIABLE"):
        return None
    producer = op.input(0).producer
    if producer is None or producer.code != "VAR_HANDLE":
        return None
    name = producer.options.get("sharedName") or ""
    return name.decode(errors="replace") if isinstance(name, bytes) else str(name)
