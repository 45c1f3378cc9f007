"""A hash of what a graph computes: two have the same one if and only if they compute alike.

Names, versions, the order in the file and everything behind the outputs are not part of it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Mapping, Sequence

import numpy as np

from .graph import Graph
from .op import Op
from .tensor import Tensor

__all__ = ["digest", "graph_digest"]


def digest(value: object) -> str:
    """A hash of data: mappings, sequences, numbers, arrays."""
    text = json.dumps(value, sort_keys=True, default=_plain)
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def graph_digest(
    graph: Graph,
    outputs: Sequence[Tensor],
    *,
    free: Collection[Tensor] = (),
    clear: Collection[Op] = (),
) -> str:
    """Hash what the outputs are computed from: ops in a fixed order, each with what goes in.

    Args:
        graph: whose inputs may have any values.
        outputs: of the graph.
        free: constants whose values may differ as well, but not their shapes.
        clear: ops that stand for what goes into them.
    """
    numbers = {tensor: f"input {i}" for i, tensor in enumerate(graph.inputs)}
    numbers.update({tensor: f"free {list(tensor.shape)}" for tensor in free})
    described: list[object] = [_kind(tensor) for tensor in graph.inputs]
    for op in _ancestors(graph, outputs):
        if op in clear:
            numbers[op.output] = numbers[op.input(0)]
            continue
        inputs = [None if tensor is None else _reference(tensor, numbers) for tensor in op.inputs]
        made = [_kind(tensor) for tensor in op.outputs]
        described.append([op.code, op.custom_code, _options(op), inputs, made])
        numbers.update({t: f"{len(described)}.{i}" for i, t in enumerate(op.outputs)})
    return digest([described, [numbers[tensor] for tensor in outputs]])


def _ancestors(graph: Graph, outputs: Sequence[Tensor]) -> list[Op]:
    """The ops that the outputs depend on, in an order that does not hang on that of the file."""
    found: dict[Op, None] = {}
    stack: list[tuple[Op, bool]] = [(t.producer, False) for t in reversed(outputs) if t.producer]
    while stack:
        op, ready = stack.pop()
        if ready:
            found[op] = None
        elif op not in found:
            stack.append((op, True))
            producers = [t.producer for t in reversed(op.inputs) if t is not None and t.producer]
            stack.extend((producer, False) for producer in producers if producer not in found)
    return list(found)


def _reference(tensor: Tensor, numbers: Mapping[Tensor, str]) -> object:
    if tensor in numbers:
        return numbers[tensor]
    return [*_kind(tensor), None if tensor.data is None else _hash(tensor.data)]


def _kind(tensor: Tensor) -> list[object]:
    quantization = tensor.quantization
    steps = None
    if quantization is not None and quantization.scale.size:
        steps = [_hash(quantization.scale), _hash(quantization.zero_point), quantization.axis]
    return [tensor.dtype.name, tensor.shape, steps]


def _options(op: Op) -> dict[str, object]:
    """Options that are set: a file states defaults that an op made here leaves out."""
    options: dict[str, object] = {}
    for name, value in {**op.options, **op.opaque}.items():
        if isinstance(value, Graph):
            options[name] = graph_digest(value, value.outputs)
        elif value is not None and np.size(value) and np.any(np.asarray(value) != 0):
            options[name] = value
    return options


def _hash(array: np.ndarray) -> str:
    return hashlib.sha256(np.ascontiguousarray(array).data).hexdigest()


def _plain(value: object) -> object:
    if isinstance(value, np.ndarray | np.generic):
        return value.tolist()
    if isinstance(value, bytes):
        return value.hex()
    return repr(value)
