"""Op options: from the schema's tables to dictionaries with graphs, and back."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from ..errors import InvalidModelError
from ..graph import Graph, Op
from .layout import Record
from .schema import BUILTIN_OPTIONS, BUILTIN_OPTIONS_2, TFLITE

__all__ = ["called_graphs", "find_options_error", "options_record", "read_options"]

_GRAPH_FIELDS: dict[str, tuple[str, ...]] = {
    "CallOptions": ("subgraph",),
    "CallOnceOptions": ("initSubgraphIndex",),
    "IfOptions": ("thenSubgraphIndex", "elseSubgraphIndex"),
    "WhileOptions": ("condSubgraphIndex", "bodySubgraphIndex"),
    "StableHLOCompositeOptions": ("decompositionSubgraphIndex",),
    "StablehloCaseOptions": ("branchSubgraphIndices",),
    "StablehloCustomCallOptions": ("calledComputations",),
    "StablehloReduceOptions": ("bodySubgraphIndex",),
    "StablehloReduceWindowOptions": ("bodySubgraphIndex",),
    "StablehloScatterOptions": ("updateComputationSubgraphIndex",),
    "StablehloSortOptions": ("comparatorSubgraphIndex",),
    "StablehloWhileOptions": ("condSubgraphIndex", "bodySubgraphIndex"),
}
"""The fields that hold the index of a subgraph, or a vector of indices."""

_BUILTIN = frozenset(BUILTIN_OPTIONS.values())
_BUILTIN_2 = frozenset(BUILTIN_OPTIONS_2.values())


_TABLES = {name.lower(): name for name in (*BUILTIN_OPTIONS.values(), *BUILTIN_OPTIONS_2.values())}
_SHARED_TABLES = {
    **dict.fromkeys(("AVERAGE_POOL_2D", "L2_POOL_2D", "MAX_POOL_2D"), "Pool2DOptions"),
    **dict.fromkeys(("MEAN", "SUM", "REDUCE_MAX", "REDUCE_MIN", "REDUCE_PROD"), "ReducerOptions"),
    "CONV_3D_TRANSPOSE": "Conv3DOptions",
}
_REQUIRED = {"CALL_ONCE", "CONV_2D", "CONV_3D", "DEPTHWISE_CONV_2D", "IF", "STABLEHLO_WHILE",
             "TRANSPOSE_CONV", "VAR_HANDLE", "WHILE", *_SHARED_TABLES}  # fmt: skip
_ACTIVATIONS = range(6)


def find_options_error(op: Op) -> str | None:
    """Return what is wrong with the options of an op, or None.

    Kernels take options of another table for their own, or get none.
    """
    name = op.code.replace("_", "").lower() + "options"
    expected = _SHARED_TABLES.get(op.code) or _TABLES.get(name)
    missing = op.options_type is None and op.code in _REQUIRED
    if expected is not None and (missing or op.options_type not in (None, expected)):
        return f"has options of type {op.options_type}, expected {expected}"
    activation = op.options.get("fusedActivationFunction", 0)
    if activation not in _ACTIVATIONS:
        return f"has the fused activation {activation}, expected a number below {len(_ACTIVATIONS)}"
    return None


def read_options(table: str, record: Record, graph: Callable[[int], Graph]) -> dict[str, Any]:
    """Return options as an `Op` has them: vectors as lists or bytes, and graphs as objects.

    Args:
        table: the schema's name of the options table.
        record: decoded table, which is changed.
        graph: function from index to graph.
    """
    for name, value in record.items():
        if isinstance(value, np.ndarray):
            record[name] = value.tobytes() if value.dtype == np.uint8 else value.tolist()
    for name in _GRAPH_FIELDS.get(table, ()):
        value = record[name]
        if value is not None:
            record[name] = [graph(i) for i in value] if isinstance(value, list) else graph(value)
    return record


def options_record(op: Op, index: Mapping[Graph, int]) -> Record:
    """Return the fields of the operator table that hold the options of an op.

    Args:
        op: op with options.
        index: graph → index of the subgraph.

    Raises:
        InvalidModelError: If the schema does not have the table or a field.
    """
    table = op.options_type
    if table is None:
        if op.options:
            raise InvalidModelError(f"{op!r} has options {list(op.options)}, but no options_type.")
        return {}
    if table not in _BUILTIN and table not in _BUILTIN_2:
        raise InvalidModelError(
            f"{op!r} has options of type {table!r}, which is not in the installed schema. "
            "Update ai-edge-litert."
        )
    layout = TFLITE.layout(table)
    unknown = op.options.keys() - layout.defaults.keys()
    if unknown:
        raise InvalidModelError(
            f"{op!r} has options {sorted(unknown)}, expected those of {table}: "
            f"{', '.join(layout.defaults) or 'none'}."
        )
    record = dict(op.options)
    for name in _GRAPH_FIELDS.get(table, ()):
        value = record.get(name)
        if value is not None:
            record[name] = (
                [_index_of(op, each, index) for each in value]
                if isinstance(value, list)
                else _index_of(op, value, index)
            )
    return {"builtinOptions" if table in _BUILTIN else "builtinOptions2": (table, record)}


def called_graphs(op: Op) -> list[Graph]:
    """Return the graphs that an op runs."""
    graphs: list[Graph] = []
    for name in _GRAPH_FIELDS.get(op.options_type or "", ()):
        value = op.options.get(name)
        graphs += value if isinstance(value, list) else [value] if value is not None else []
    return graphs


def _index_of(op: Op, graph: Graph, index: Mapping[Graph, int]) -> int:
    if graph not in index:
        raise InvalidModelError(f"{op!r} runs {graph!r}, which is not among the model's graphs.")
    return index[graph]
