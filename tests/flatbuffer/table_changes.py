"""Changes of the tables of a valid file."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import flatbuffer_samples as samples
import numpy as np

from sartor.flatbuffer import write
from sartor.flatbuffer.layout import Record

VALID = write(samples.control_flow())
"""The file of the sample `control_flow`."""


def tensor(record: Record, name: str) -> Record:
    """Return the first tensor of a name."""
    tensors = (each for graph in record["subgraphs"] for each in graph["tensors"])
    return next(each for each in tensors if each["name"] == name)


def constant(record: Record) -> Record:
    """Return the initial value of the variable: float32 [2, 3]."""
    return tensor({"subgraphs": record["subgraphs"][1:]}, "constant")


def op(record: Record, index: int, graph: int = 0) -> Record:
    """Return an op: CALL_ONCE, WHILE, VAR_HANDLE, READ_VARIABLE, ADD, ASSIGN_VARIABLE, LESS, IF."""
    result: Record = record["subgraphs"][graph]["operators"][index]
    return result


def graph(record: Record, index: int = 0) -> Record:
    """Return a subgraph: main, init, cond, body, negate, keep."""
    result: Record = record["subgraphs"][index]
    return result


def signature(record: Record) -> Record:
    """Return the only signature."""
    result: Record = record["signatureDefs"][0]
    return result


def put(path: Callable[[Record], Any], key: Any, value: Any) -> Callable[[Record], None]:
    """Return a change that sets one field of one table."""

    def change(record: Record) -> None:
        path(record)[key] = value

    return change


def ints(*values: int) -> np.ndarray:
    return np.array(values, np.int32)


def quantize(scale: list[float], zero: list[int], axis: int = 0) -> Callable[[Record], None]:
    record = {
        "scale": np.array(scale, np.float32),
        "zeroPoint": np.array(zero, np.int64),
        "quantizedDimension": axis,
    }
    return put(lambda root: tensor(root, "x"), "quantization", record)


def twice(path: Callable[[Record], list[Any]]) -> Callable[[Record], None]:
    """Return a change that repeats the last item of a list."""
    return lambda record: path(record).append(path(record)[-1])


def call(index: int, **options: int) -> Callable[[Record], None]:
    """Return a change of the subgraphs that an op runs."""
    return lambda record: op(record, index)["builtinOptions"][1].update(options)


def run_itself(record: Record) -> None:
    body = graph(record, 3)
    body["operators"].append({**op(record, 1), "inputs": ints(0, 1), "outputs": ints(6, 7)})
    for name in "ab":
        body["tensors"].append({**tensor(record, "x"), "name": name})


def nest_deeply(record: Record) -> None:
    """Add a chain of subgraphs that call each other."""
    record["operatorCodes"].append({"builtinCode": 129, "deprecatedBuiltinCode": 127})
    first = len(record["subgraphs"])
    for index in range(100):
        options = "CallOnceOptions", {"initSubgraphIndex": first + index + 1}
        once = {"opcodeIndex": len(record["operatorCodes"]) - 1, "builtinOptions": options}
        record["subgraphs"].append({"tensors": [], "operators": [once]})
    record["subgraphs"].append({"tensors": [], "operators": []})


def text(data: bytes) -> Callable[[Record], None]:
    """Return a change that makes the initial value of the variable a string constant."""

    def change(record: Record) -> None:
        constant(record).update(type=5, shape=ints(1))
        record["buffers"][constant(record)["buffer"]] = {"data": data}

    return change
