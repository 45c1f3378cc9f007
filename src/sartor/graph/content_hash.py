"""Hashes of the content of graphs.

The hash of a graph depends on the ops, constants and types that its outputs need. It does not
depend on names, operator versions, the order in the file and ops that no output needs.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Mapping, Sequence

import numpy as np

from .graph import Graph
from .op import Op
from .tensor import Tensor

__all__ = ["hash_data", "hash_graph"]


def hash_data(value: object) -> str:
    """Return the hash of mappings, sequences, numbers and arrays: 32 hexadecimal digits."""
    text = json.dumps(value, sort_keys=True, default=_to_json)
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def hash_graph(
    graph: Graph,
    outputs: Sequence[Tensor],
    *,
    variable_constants: Collection[Tensor] = (),
    skipped_ops: Collection[Op] = (),
) -> str:
    """Return the hash of the computation of the outputs.

    Args:
        graph: graph, whose inputs may have any values.
        outputs: tensors of the graph.
        variable_constants: constants of which only the shape counts.
        skipped_ops: ops that are replaced by their first input.
    """
    names = {tensor: f"input {i}" for i, tensor in enumerate(graph.inputs)}
    names.update({tensor: f"free {list(tensor.shape)}" for tensor in variable_constants})
    lines: list[object] = [_describe_type(tensor) for tensor in graph.inputs]
    for op in _ancestors(outputs):
        if op in skipped_ops:
            names[op.output] = names[op.input(0)]
            continue
        inputs = [None if tensor is None else _describe(tensor, names) for tensor in op.inputs]
        types = [_describe_type(tensor) for tensor in op.outputs]
        lines.append([op.code, op.custom_code, _options(op), inputs, types])
        names.update({t: f"{len(lines)}.{i}" for i, t in enumerate(op.outputs)})
    return hash_data([lines, [names[tensor] for tensor in outputs]])


def _ancestors(outputs: Sequence[Tensor]) -> list[Op]:
    """Return the ops that the outputs need, in an order independent of the file."""
    ordered: dict[Op, None] = {}
    stack: list[tuple[Op, bool]] = [(t.producer, False) for t in reversed(outputs) if t.producer]
    while stack:
        op, ready = stack.pop()
        if ready:
            ordered[op] = None
        elif op not in ordered:
            stack.append((op, True))
            producers = [t.producer for t in reversed(op.inputs) if t is not None and t.producer]
            stack.extend((producer, False) for producer in producers if producer not in ordered)
    return list(ordered)


def _describe(tensor: Tensor, names: Mapping[Tensor, str]) -> object:
    if tensor in names:
        return names[tensor]
    return [*_describe_type(tensor), None if tensor.data is None else _hash(tensor.data)]


def _describe_type(tensor: Tensor) -> list[object]:
    quantization = tensor.quantization
    scales = None
    if quantization is not None and quantization.scale.size:
        scales = [_hash(quantization.scale), _hash(quantization.zero_point), quantization.axis]
    return [tensor.dtype.name, tensor.shape, scales]


def _options(op: Op) -> dict[str, object]:
    """Return the options that are set; a file states defaults that an emitted op leaves out."""
    options: dict[str, object] = {}
    for name, value in {**op.options, **op.opaque}.items():
        if isinstance(value, Graph):
            options[name] = hash_graph(value, value.outputs)
        elif value is not None and np.size(value) and np.any(np.asarray(value) != 0):
            options[name] = value
    return options


def _hash(array: np.ndarray) -> str:
    return hashlib.sha256(np.ascontiguousarray(array).data).hexdigest()


def _to_json(value: object) -> object:
    if isinstance(value, np.ndarray | np.generic):
        return value.tolist()
    if isinstance(value, bytes):
        return value.hex()
    return repr(value)
