"""What the tests of `.tflite` files share: real models, a differ, and a way to run a file."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from ai_edge_litert.interpreter import Interpreter

from sartor.flatbuffer.decode import Decoder
from sartor.flatbuffer.encode import Encoder
from sartor.flatbuffer.layout import Record
from sartor.flatbuffer.schema import TFLITE
from sartor.graph import Graph, Model, Op, Tensor

SHARED = Path(__file__).parents[2].parent / "shared"
MODELS = sorted((SHARED / "models").glob("*.tflite"))


def run(content: bytes, seed: int = 0) -> list[np.ndarray]:
    """The outputs of the main subgraph for inputs drawn at random."""
    interpreter = Interpreter(model_content=content, num_threads=1)
    interpreter.allocate_tensors()
    random = np.random.default_rng(seed)
    for detail in interpreter.get_input_details():
        value = (random.random(detail["shape"]) * 100).astype(detail["dtype"])
        interpreter.set_tensor(detail["index"], value)
    interpreter.invoke()
    return [interpreter.get_tensor(each["index"]) for each in interpreter.get_output_details()]


def decoded(content: bytes) -> Record:
    """The tables of a file, without the checks of what they mean."""
    return Decoder(content, TFLITE).root("Model", b"TFL3", "")


def encoded(record: Record) -> bytes:
    """A file of these tables, whatever they mean."""
    encoder = Encoder(TFLITE)
    return encoder.finish(encoder.table("Model", record), b"TFL3")


def changed(content: bytes, change: Callable[[Record], object]) -> bytes:
    """A file with something changed in its tables."""
    record = decoded(content)
    change(record)
    return encoded(record)


def differences(first: Model, second: Model) -> list[str]:
    """Each difference between two models, op versions left out."""
    return list(_compare("model", _plain(first), _plain(second)))


def _compare(path: str, first: Any, second: Any) -> Iterator[str]:
    if isinstance(first, dict) and isinstance(second, dict):
        for key in dict.fromkeys([*first, *second]):
            yield from _compare(f"{path}.{key}", first.get(key), second.get(key))
    elif isinstance(first, list) and isinstance(second, list):
        if len(first) != len(second):
            yield f"{path}: {len(first)} and {len(second)} items"
        for index, (one, other) in enumerate(zip(first, second, strict=False)):
            yield from _compare(f"{path}[{index}]", one, other)
    elif first != second:
        yield f"{path}: {first!r} and {second!r}"


def _plain(model: Model) -> dict[str, Any]:
    """A model as dictionaries and lists, with numbers in the place of graphs and tensors."""
    graphs = {graph: number for number, graph in enumerate(model.graphs)}
    return {
        "description": model.description,
        "version": model.version,
        "metadata": model.metadata,
        "files": model.files,
        "opaque": model.opaque,
        "graphs": [_plain_graph(graph, graphs) for graph in model.graphs],
        "signatures": [
            {
                "key": each.key,
                "graph": graphs[each.graph],
                "inputs": [(name, tensor.name) for name, tensor in each.inputs.items()],
                "outputs": [(name, tensor.name) for name, tensor in each.outputs.items()],
            }
            for each in model.signatures
        ],
    }


def _plain_graph(graph: Graph, graphs: dict[Graph, int]) -> dict[str, Any]:
    numbers: dict[object, int] = dict(graphs.items())
    numbers.update((tensor, number) for number, tensor in enumerate(graph.tensors))
    return {
        "name": graph.name,
        "opaque": graph.opaque,
        "inputs": [numbers[tensor] for tensor in graph.inputs],
        "outputs": [numbers[tensor] for tensor in graph.outputs],
        "tensors": [_plain_tensor(tensor, numbers) for tensor in graph.tensors],
        "ops": [_plain_op(op, numbers) for op in graph.ops],
    }


def _plain_tensor(tensor: Tensor, numbers: dict[object, int]) -> dict[str, Any]:
    quantization = tensor.quantization
    return {
        "name": tensor.name,
        "dtype": tensor.dtype,
        "shape": tensor.shape,
        "shape_signature": tensor.shape_signature,
        "data": None if tensor.data is None else tensor.data.tobytes(),
        "is_variable": tensor.is_variable,
        "has_rank": tensor.has_rank,
        "sparsity": _value(tensor.sparsity, numbers),
        "variants": _value(tensor.variants, numbers),
        "quantization": _value(vars(quantization) if quantization else None, numbers),
    }


def _plain_op(op: Op, numbers: dict[object, int]) -> dict[str, Any]:
    return {
        "code": op.code,
        "custom_code": op.custom_code,
        "options_type": op.options_type,
        "options": _value(op.options, numbers),
        "opaque": op.opaque,
        "inputs": [-1 if tensor is None else numbers[tensor] for tensor in op.inputs],
        "outputs": [numbers[tensor] for tensor in op.outputs],
        "intermediates": [numbers[tensor] for tensor in op.intermediates],
    }


def _value(value: object, numbers: dict[object, int]) -> object:
    if isinstance(value, (Tensor, Graph)):
        return numbers[value]
    if isinstance(value, np.ndarray):
        return value.tolist()
    if isinstance(value, dict):
        return {key: _value(each, numbers) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [_value(each, numbers) for each in value]
    return value
