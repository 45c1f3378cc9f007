"""Breaking one promise of a personalizable file, and no other."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from sartor import PersonalizableModel
from sartor.contract.manifest import Manifest
from sartor.contract.names import MANIFEST_FILE
from sartor.flatbuffer import append_files, read, write_with_ranges
from sartor.graph import Graph, Model, Op, Tensor
from sartor.ops import read_variable, var_handle

Edit = Callable[[Model], None]


def broken(made: PersonalizableModel, edit: Edit) -> bytes:
    """The file with its graphs edited, and offsets in its manifest that are right again."""
    model = read(made.content)
    starts = _initial_values(model)
    edit(model)
    files, model.files = model.files, {}
    content, ranges = write_with_ranges(model)
    manifest = Manifest.from_json(files[MANIFEST_FILE])
    variables = tuple(
        replace(spec, offset=ranges[starts[spec.name]][0]) for spec in manifest.variables
    )
    return append_files(content, {**files, **replace(manifest, variables=variables).files()})


def retold(made: PersonalizableModel, tell: Callable[[Manifest], Manifest]) -> bytes:
    """The file as it is, with another manifest."""
    model = read(made.content)
    place = made.content.index(b"PK\x03\x04")
    manifest = tell(Manifest.from_json(model.files[MANIFEST_FILE]))
    return append_files(made.content[:place], {**model.files, **manifest.files()})


def _initial_values(model: Model) -> dict[str, Tensor]:
    """The constant that starts each variable, which is to have bytes of its own again."""
    starts = {}
    initializer = graph_of(model, "infer").ops[0].options["initSubgraphIndex"]
    anew = graph_of(model, "initialize")
    for name in variables_of(initializer):
        constant = assignment(initializer, name).input(1)
        data = np.array(constant.data)
        for tensor in (constant, assignment(anew, name).input(1)):
            tensor.data, tensor.exclusive = data, True
        starts[name] = constant
    return starts


def graph_of(model: Model, key: str) -> Graph:
    signature = model.signature(key)
    assert signature is not None
    return signature.graph


def variables_of(graph: Graph) -> list[str]:
    return [op.options["sharedName"] for op in graph.ops if op.code == "VAR_HANDLE"]


def assignment(graph: Graph, variable: str) -> Op:
    return next(op for op in _users(graph, variable) if op.code == "ASSIGN_VARIABLE")


def value_of(graph: Graph, variable: str) -> Tensor:
    return next(op.output for op in _users(graph, variable) if op.code == "READ_VARIABLE")


def _users(graph: Graph, variable: str) -> list[Op]:
    for op in graph.ops:
        if op.code == "VAR_HANDLE" and op.options["sharedName"] == variable:
            return op.output.consumers
    raise KeyError(variable)


# --- edits -------------------------------------------------------------------------------------


def assigned(key: str, variable: str, change: Callable[[Tensor, Tensor], Tensor]) -> Edit:
    """Let a signature assign `change(new value, old value)`."""

    def edit(model: Model) -> None:
        graph = graph_of(model, key)
        op = assignment(graph, variable)
        handle, value = op.input(0), op.input(1)
        graph.ops.remove(op)
        old = read_variable(handle, model_shape(model, variable), name="old")
        op.set_inputs([handle, change(value, old)])
        graph.ops.append(op)

    return edit


def also_assigned(key: str, variable: str, change: Callable[[Tensor], Tensor]) -> Edit:
    """Let a signature, after all that it does, assign `change(old value)`."""

    def edit(model: Model) -> None:
        graph = graph_of(model, key)
        handle = var_handle(graph, variable)
        old = read_variable(handle, model_shape(model, variable), name="old")
        graph.ops.append(Op("ASSIGN_VARIABLE", (handle, change(old)), ()))

    return edit


def not_assigned(key: str, variable: str) -> Edit:
    """Let a signature leave a variable as it is."""
    return assigned(key, variable, lambda new, old: old)


def given(key: str, name: str, change: Callable[[Tensor], Tensor]) -> Edit:
    """Let a signature give `change(output)`."""

    def edit(model: Model) -> None:
        signature = model.signature(key)
        assert signature is not None
        old = signature.outputs[name]
        new = change(old)
        signature.outputs[name] = new
        signature.graph.outputs = [new if t is old else t for t in signature.graph.outputs]

    return edit


def taken(key: str, name: str, change: Callable[[Tensor], Tensor]) -> Edit:
    """Let a signature go on with `change(input)`."""

    def edit(model: Model) -> None:
        signature = model.signature(key)
        assert signature is not None
        _replaced(signature.graph, signature.inputs[name], change)

    return edit


def seen(key: str, variable: str, change: Callable[[Tensor], Tensor]) -> Edit:
    """Let a signature go on with `change(value)` of a variable."""

    def edit(model: Model) -> None:
        graph = graph_of(model, key)
        _replaced(graph, value_of(graph, variable), change)

    return edit


def _replaced(graph: Graph, old: Tensor, change: Callable[[Tensor], Tensor]) -> None:
    """Let all that used `old` use another tensor, which is made before them."""
    users, count = list(dict.fromkeys(old.consumers)), len(graph.ops)
    new = change(old)
    made, graph.ops = graph.ops[count:], graph.ops[:count]
    first = 0 if old.producer is None else graph.ops.index(old.producer) + 1
    graph.ops[first:first] = made
    if old.producer is None:  # CALL_ONCE stays in front
        graph.ops.remove(once := next(op for op in graph.ops if op.code == "CALL_ONCE"))
        graph.ops.insert(0, once)
    for op in users:
        op.replace_input(old, new)


def model_shape(model: Model, variable: str) -> tuple[int, ...]:
    """The shape of a variable."""
    signature = model.signature("save")
    assert signature is not None
    return signature.outputs[variable].shape
