"""Promises that can be read off the file: ends, ops and bytes."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from ...contract.manifest import Manifest
from ...contract.signatures import TensorSpec
from ...graph import Model, Op, Signature, Tensor
from .report import Check

__all__ = ["check_structure", "initial_values"]

# Op code → the input that holds the sizes of its output.
_SIZED_BY = {
    "RESHAPE": 1, "BROADCAST_TO": 1, "TILE": 1, "FILL": 0, "SLICE": 2, "STRIDED_SLICE": 2, "PAD": 1,
    "PADV2": 1, "EXPAND_DIMS": 1, "TRANSPOSE_CONV": 0, "RESIZE_BILINEAR": 1, "ONE_HOT": 1,
    "RESIZE_NEAREST_NEIGHBOR": 1, "SCATTER_ND": 2, "RANDOM_UNIFORM": 0, "SUM": 1, "MEAN": 1,
}  # fmt: skip
_ALWAYS_SIZED_AT_RUN_TIME = {"UNSORTED_SEGMENT_SUM", "SEGMENT_SUM", "WHERE", "UNIQUE", "RANGE"}


def check_structure(model: Model, manifest: Manifest) -> Iterator[Check]:
    """Check the signatures of a model against its manifest, without running it."""
    wanted = manifest.signatures()
    for key, (inputs, outputs) in wanted.items():
        signature = model.signature(key)
        if signature is None:
            yield Check(f"{key}: is there", False, "the file has no such signature")
            continue
        problems = [
            *_differences(signature.inputs, inputs),
            *_differences(signature.outputs, outputs),
            *_loose_ends(signature),
        ]
        yield Check(f"{key}: ends and shapes", not problems, "; ".join(problems) or _said(outputs))
    foreign = sorted(
        {op.name for graph in model.graphs for op in graph.ops if op.custom_code is not None}
    )
    yield Check("builtin ops only", not foreign, ", ".join(foreign) or "no custom op")


def initial_values(content: bytes, manifest: Manifest) -> dict[str, np.ndarray]:
    """What the byte ranges of the manifest hold: name → float32 array; raises ValueError."""
    return {
        spec.name: np.frombuffer(content, "<f4", int(np.prod(spec.shape)), spec.offset).reshape(
            spec.shape
        )
        for spec in manifest.variables
    }


def _differences(found: dict[str, Tensor], wanted: dict[str, TensorSpec]) -> Iterator[str]:
    for name in [*wanted, *(name for name in found if name not in wanted)]:
        if name not in found or name not in wanted:
            yield f"{name!r} is {'missing' if name in wanted else 'not in the contract'}"
            continue
        tensor, spec = found[name], wanted[name]
        if tensor.shape_signature is not None and -1 in tensor.shape_signature:
            yield f"{name!r} has a size that varies: LiteRT.js refuses it"
        if (tensor.shape, tensor.dtype.name.lower()) != (spec.shape, spec.dtype):
            yield f"{name!r} is {tensor!r}, expected {spec.dtype} {list(spec.shape)}"


def _loose_ends(signature: Signature) -> Iterator[str]:
    """What some runtime refuses, or answers with garbage (docs/contract.md)."""
    graph = signature.graph
    if not graph.ops or graph.ops[0].code != "CALL_ONCE":
        yield "CALL_ONCE is not the first op"
    for op in graph.ops:
        if op.code == "READ_VARIABLE" and op.output.consumers[1:] == op.output.consumers[:-1] != []:
            yield f"one op alone takes {op.output!r} twice, which crashes XNNPACK"
    for name, tensor in signature.inputs.items():
        if not tensor.consumers:
            yield f"no op uses the input {name!r}"
    for name, tensor in signature.outputs.items():
        if tensor.producer is None or tensor.producer.code == "READ_VARIABLE":
            yield f"the output {name!r} is not made by an op of its own"
        elif _sized_at_run_time(tensor.producer):
            yield f"the output {name!r} is made by {tensor.producer!r}, which is sized at run time"
    if _ends(graph.inputs) != _ends(list(signature.inputs.values())):
        yield "it does not list all inputs of its subgraph"
    if _ends(graph.outputs) != _ends(list(signature.outputs.values())):
        yield "it does not list all outputs of its subgraph"


def _sized_at_run_time(op: Op) -> bool:
    """Whether the size of what it makes follows from values that are computed."""
    at = _SIZED_BY.get(op.code)
    if at is None or at >= len(op.inputs):
        return op.code in _ALWAYS_SIZED_AT_RUN_TIME
    return not op.input(at).is_constant


def _ends(tensors: list[Tensor]) -> set[Tensor]:
    return set(tensors)


def _said(outputs: dict[str, TensorSpec]) -> str:
    return "→ " + ", ".join(outputs)
