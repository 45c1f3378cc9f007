"""Real models, a differ and a runner of files for the tests of `.tflite` files."""

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
    """Return the outputs of the main subgraph for random inputs."""
    interpreter = Interpreter(model_content=content, num_threads=1)
    interpreter.allocate_tensors()
    random = np.random.default_rng(seed)
    for detail in interpreter.get_input_details():
        value = (random.random(detail["shape"]) * 100).astype(detail["dtype"])
        interpreter.set_tensor(detail["index"], value)
    interpreter.invoke()
    return [interpreter.get_tensor(each["index"]) for each in interpreter.get_output_details()]


def decode_tables(content: bytes) -> Record:
    """Return the tables of a file without checking their meaning."""
    return Decoder(content, TFLITE).root("Model", b"TFL3", "", "")


def encode_tables(record: Record) -> bytes:
    """Return a file of tables without checking their meaning."""
    encoder = Encoder(TFLITE)
    return encoder.finish(encoder.table("Model", record), b"TFL3")


def change_tables(content: bytes, change: Callable[[Record], object]) -> bytes:
    """Return a file with changed tables."""
    record = decode_tables(content)
    change(record)
    return encode_tables(record)


def differences(left: Model, right: Model) -> list[str]:
    """Return the differences between two models, except op versions."""
    return list(_compare("model", _plain(left), _plain(right)))


def _compare(path: str, left: Any, right: Any) -> Iterator[str]:
    if isinstance(left, dict) and isinstance(right, dict):
        for key in dict.fromkeys([*left, *right]):
            yield from _compare(f"{path}.{key}", left.get(key), right.get(key))
    elif isinstance(left, list) and isinstance(right, list):
        if len(left) != len(right):
            yield f"{path}: {len(left)} and {len(right)} items"
        for index, (left_item, right_item) in enumerate(zip(left, right, strict=False)):
            yield from _compare(f"{path}[{index}]", left_item, right_item)
    elif left != right:
        yield f"{path}: {left!r} and {right!r}"


def _plain(model: Model) -> dict[str, Any]:
    """Return a model as dictionaries and lists, with numbers instead of graphs and tensors."""
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
