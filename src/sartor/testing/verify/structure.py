"""Check signatures, ops and byte ranges, without running the file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from ...contract.manifest import Manifest
from ...contract.signatures import TensorSpec
from ...graph import Model, Op, Signature, Tensor
from ...litert import digest_error
from ...ops import find_row
from .report import Check

__all__ = ["check_structure", "initial_values"]


def check_structure(content: bytes, model: Model, manifest: Manifest) -> Iterator[Check]:
    """Compare the bytes and the signatures of a model with its manifest."""
    error = digest_error(content, manifest)
    yield Check("digest", error is None, error or "that of all bytes before the archive")
    for key, (inputs, outputs) in manifest.signatures().items():
        signature = model.signature(key)
        if signature is None:
            yield Check(f"{key}: signature exists", False, "the file has no such signature")
            continue
        problems = [
            *_differences(signature.inputs, inputs),
            *_differences(signature.outputs, outputs),
            *_graph_problems(signature),
        ]
        detail = "; ".join(problems) or "→ " + ", ".join(outputs)
        yield Check(f"{key}: inputs and outputs", not problems, detail)
    custom = sorted(
        {op.name for graph in model.graphs for op in graph.ops if op.custom_code is not None}
    )
    yield Check("builtin ops only", not custom, ", ".join(custom) or "no custom op")


def initial_values(content: bytes, manifest: Manifest) -> dict[str, np.ndarray]:
    """Return the values at the byte ranges of the manifest: name → float32 array.

    Raises:
        ValueError: If a range lies outside the file.
    """
    return {
        spec.name: np.frombuffer(content, "<f4", int(np.prod(spec.shape)), spec.offset).reshape(
            spec.shape
        )
        for spec in manifest.variables
    }


def _differences(
    tensors: Mapping[str, Tensor], expected: Mapping[str, TensorSpec]
) -> Iterator[str]:
    for name in [*expected, *(name for name in tensors if name not in expected)]:
        if name not in tensors or name not in expected:
            yield f"{name!r} is {'missing' if name in expected else 'not in the contract'}"
            continue
        tensor, spec = tensors[name], expected[name]
        if tensor.shape_signature is not None and -1 in tensor.shape_signature:
            yield f"{name!r} has a dynamic shape, which LiteRT.js does not support"
        if (tensor.shape, tensor.dtype.name.lower()) != (spec.shape, spec.dtype):
            yield f"{name!r} is {tensor!r}, expected {spec.dtype} {list(spec.shape)}"


def _graph_problems(signature: Signature) -> Iterator[str]:
    """Yield the structures that a runtime refuses or computes wrongly (docs/contract.md)."""
    graph = signature.graph
    if not graph.ops or graph.ops[0].code != "CALL_ONCE":
        yield "CALL_ONCE is not the first op"
    for op in graph.ops:
        if op.code == "READ_VARIABLE" and op.output.consumers[1:] == op.output.consumers[:-1] != []:
            yield f"one op uses {op.output!r} twice and nothing else does, which crashes XNNPACK"
    for name, tensor in signature.inputs.items():
        if not tensor.consumers:
            yield f"no op uses the input {name!r}"
    for name, tensor in signature.outputs.items():
        if tensor.producer is None or tensor.producer.code == "READ_VARIABLE":
            yield f"the output {name!r} is an input or a variable: an op must compute it"
        elif _is_dynamic(tensor.producer):
            yield f"the output {name!r} of {tensor.producer!r} has a shape known only at run time"
    if set(graph.inputs) != set(signature.inputs.values()):
        yield "the signature does not list all inputs of its subgraph"
    if set(graph.outputs) != set(signature.outputs.values()):
        yield "the signature does not list all outputs of its subgraph"


def _is_dynamic(op: Op) -> bool:
    """Return whether the shape of the output depends on computed values."""
    row = find_row(op)
    if row.size_input is None or row.size_input >= len(op.inputs):
        return row.dynamic_output
    return not op.input(row.size_input).is_constant
