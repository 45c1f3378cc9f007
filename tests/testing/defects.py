"""Plant a single defect in a personalizable file."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from sartor import PersonalizableModel
from sartor.contract.digest import model_digest
from sartor.contract.manifest import Manifest
from sartor.contract.names import MANIFEST_FILE
from sartor.flatbuffer import append_files, read, write_with_places
from sartor.graph import Graph, Model, Op, Tensor
from sartor.ops import read_variable, var_handle

Edit = Callable[[Model], None]


def edit_graphs(conversion: PersonalizableModel, edit: Edit) -> bytes:
    """Return the file with edited graphs and updated offsets in its manifest."""
    model = read(conversion.content)
    starts = _initial_values(model)
    edit(model)
    files, model.files = model.files, {}
    file = write_with_places(model)
    manifest = Manifest.from_json(files[MANIFEST_FILE])
    variables = tuple(
        replace(spec, offset=file.ranges[starts[spec.name]][0]) for spec in manifest.variables
    )
    manifest = replace(
        manifest, variables=variables, frozen=None, digest=model_digest(file.content)
    )
    return append_files(file.content, {**files, **manifest.files()})


def edit_manifest(conversion: PersonalizableModel, change: Callable[[Manifest], Manifest]) -> bytes:
    """Return the file with an edited manifest."""
    model = read(conversion.content)
    place = conversion.content.index(b"PK\x03\x04")
    manifest = change(Manifest.from_json(model.files[MANIFEST_FILE]))
    return append_files(conversion.content[:place], {**model.files, **manifest.files()})


def _initial_values(model: Model) -> dict[str, Tensor]:
    """Return the initial constant of each variable, with bytes of its own."""
    starts = {}
    initializer = graph_of(model, "infer").ops[0].options["initSubgraphIndex"]
    initialize = graph_of(model, "initialize")
    for name in variables_of(initializer):
        constant = assignment(initializer, name).input(1)
        data = np.array(constant.data)
        for tensor in (constant, assignment(initialize, name).input(1)):
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


def change_assignment(key: str, variable: str, change: Callable[[Tensor, Tensor], Tensor]) -> Edit:
    """Make a signature assign `change(new value, old value)`."""

    def edit(model: Model) -> None:
        graph = graph_of(model, key)
        op = assignment(graph, variable)
        handle, value = op.input(0), op.input(1)
        graph.ops.remove(op)
        old = read_variable(handle, model_shape(model, variable), name="old")
        op.set_inputs([handle, change(value, old)])
        graph.ops.append(op)

    return edit


def add_assignment(key: str, variable: str, change: Callable[[Tensor], Tensor]) -> Edit:
    """Make a signature assign `change(old value)` at its end."""

    def edit(model: Model) -> None:
        graph = graph_of(model, key)
        handle = var_handle(graph, variable)
        old = read_variable(handle, model_shape(model, variable), name="old")
        graph.ops.append(Op("ASSIGN_VARIABLE", (handle, change(old)), ()))

    return edit


def skip_assignment(key: str, variable: str) -> Edit:
    """Make a signature keep the value of a variable."""
    return change_assignment(key, variable, lambda new, old: old)


def change_output(key: str, name: str, change: Callable[[Tensor], Tensor]) -> Edit:
    """Make a signature return `change(output)`."""

    def edit(model: Model) -> None:
        signature = model.signature(key)
        assert signature is not None
        old = signature.outputs[name]
        new = change(old)
        signature.outputs[name] = new
        signature.graph.outputs = [new if t is old else t for t in signature.graph.outputs]

    return edit


def change_input(key: str, name: str, change: Callable[[Tensor], Tensor]) -> Edit:
    """Make a signature use `change(input)`."""

    def edit(model: Model) -> None:
        signature = model.signature(key)
        assert signature is not None
        _replace_uses(signature.graph, signature.inputs[name], change)

    return edit


def change_variable(key: str, variable: str, change: Callable[[Tensor], Tensor]) -> Edit:
    """Make a signature use `change(value)` of a variable."""

    def edit(model: Model) -> None:
        graph = graph_of(model, key)
        _replace_uses(graph, value_of(graph, variable), change)

    return edit


def _replace_uses(graph: Graph, old: Tensor, change: Callable[[Tensor], Tensor]) -> None:
    """Replace all uses of a tensor by a changed one, computed before them."""
    users, count = list(dict.fromkeys(old.consumers)), len(graph.ops)
    new = change(old)
    new_ops, graph.ops = graph.ops[count:], graph.ops[:count]
    first = 0 if old.producer is None else graph.ops.index(old.producer) + 1
    graph.ops[first:first] = new_ops
    if old.producer is None:  # CALL_ONCE stays the first op
        graph.ops.remove(once := next(op for op in graph.ops if op.code == "CALL_ONCE"))
        graph.ops.insert(0, once)
    for op in users:
        op.replace_input(old, new)


def model_shape(model: Model, variable: str) -> tuple[int, ...]:
    """Return the shape of a variable."""
    signature = model.signature("save")
    assert signature is not None
    return signature.outputs[variable].shape
