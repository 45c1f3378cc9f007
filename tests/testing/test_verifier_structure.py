"""The verifier detects wrong structures and does not run them."""

from __future__ import annotations

import numpy as np
import pytest
from defects import (
    Edit,
    change_output,
    change_variable,
    edit_graphs,
    graph_of,
)
from verifier_helpers import (
    T,
    failures,
)

from sartor import PersonalizableModel
from sartor.graph import DType, Model, Op, Tensor
from sartor.ops import mul, neg, reshape
from sartor.testing.verify import verify_contract


def without_call_once(model: Model) -> None:
    graph = graph_of(model, "restore")
    graph.remove([op for op in graph.ops if op.code == "CALL_ONCE"])


def call_once_later(model: Model) -> None:
    graph = graph_of(model, "train")
    graph.ops.append(graph.ops.pop(0))


def variable_as_output(model: Model) -> None:
    signature = model.signature("save")
    assert signature is not None
    read = next(op for op in signature.graph.ops if op.code == "READ_VARIABLE")
    name = next(n for n, t in signature.outputs.items() if read.output in t.producer.inputs)  # type: ignore[union-attr]
    change_output("save", name, lambda _: read.output)(model)


def input_as_output(model: Model) -> None:
    signature = model.signature("initialize")
    assert signature is not None
    change_output("initialize", "done", lambda _: signature.inputs["run"])(model)


def custom_op(model: Model) -> None:
    def own(x: Tensor) -> Tensor:
        y = x.graph.tensor("y", DType.FLOAT32, x.shape)
        x.graph.add(Op("CUSTOM", (x,), (y,), custom_code="FlexSoftmax"))
        return y

    change_output("infer", "output", own)(model)


def computed_size(model: Model) -> None:
    def reshaped(x: Tensor) -> Tensor:
        shape = x.graph.tensor("shape", DType.INT32, (x.rank,))
        options = {"outType": 2}
        x.graph.add(Op("SHAPE", (x,), (shape,), options=options, options_type="ShapeOptions"))
        y = x.graph.tensor("y", DType.FLOAT32, x.shape)
        x.graph.add(Op("RESHAPE", (x, shape), (y,)))
        return y

    change_output("infer", "output", reshaped)(model)


def variable_used_twice(model: Model) -> None:
    change_variable("infer", T, lambda t: mul(t, t))(model)


def another_shape(model: Model) -> None:
    change_output("evaluate", "output", lambda x: reshape(x, (4, 6)))(model)


def free_size(model: Model) -> None:
    graph_of(model, "train").inputs[0].shape_signature = (-1, 16)


def unused_input(model: Model) -> None:
    graph = graph_of(model, "evaluate")
    weights = next(tensor for tensor in graph.inputs if tensor.name == "sample_weights")
    for op in list(weights.consumers):
        op.replace_input(weights, graph.constant(np.ones(weights.shape, np.float32)))


def unknown_input(model: Model) -> None:
    signature = model.signature("infer")
    assert signature is not None
    signature.inputs["more"] = more = signature.graph.input("more", (1,))
    neg(more)


def int8_input(model: Model) -> None:
    signature = model.signature("infer")
    assert signature is not None
    graph, old = signature.graph, signature.inputs["input"]
    new = graph.tensor("input", DType.INT8, old.shape)
    graph.inputs = [new]
    signature.inputs["input"] = new
    graph.ops.insert(1, Op("CAST", (new,), (old,)))


def unlisted_output(model: Model) -> None:
    signature = model.signature("infer")
    assert signature is not None
    signature.graph.outputs.append(signature.graph.ops[-1].input(0))


def no_signature(model: Model) -> None:
    model.signatures = [each for each in model.signatures if each.key != "set_class"]


STRUCTURE: dict[str, tuple[Edit, str, str]] = {
    "no CALL_ONCE": (
        without_call_once, "restore: inputs and outputs", "CALL_ONCE is not the first",
    ),
    "CALL_ONCE later": (call_once_later, "train: inputs and outputs", "CALL_ONCE is not the first"),
    "a variable as an output": (
        variable_as_output, "save: inputs and outputs", "an op must compute it",
    ),
    "an input as an output": (
        input_as_output, "initialize: inputs and outputs", "an op must compute it",
    ),
    "a custom op": (custom_op, "builtin ops only", "FlexSoftmax"),
    "an output sized at run time": (
        computed_size, "infer: inputs and outputs", "known only at run time",
    ),
    "a variable that one op uses twice": (
        variable_used_twice, "infer: inputs and outputs", "crashes XNNPACK",
    ),
    "another shape": (
        another_shape, "evaluate: inputs and outputs", "expected float32 [6, 4]",
    ),
    "a free size": (free_size, "train: inputs and outputs", "LiteRT.js does not support"),
    "an unused input": (
        unused_input, "evaluate: inputs and outputs", "no op uses the input 'sample_weights'",
    ),
    "an unknown input": (
        unknown_input, "infer: inputs and outputs", "'more' is not in the contract",
    ),
    "an int8 input": (int8_input, "infer: inputs and outputs", "INT8"),
    "an output that is not listed": (
        unlisted_output, "infer: inputs and outputs", "does not list all outputs",
    ),
    "no signature": (no_signature, "set_class: signature exists", "no such signature"),
}  # fmt: skip


@pytest.mark.parametrize("name", STRUCTURE)
def test_a_wrong_structure_fails_and_is_not_run(name: str, conversion: PersonalizableModel) -> None:
    edit, check_name, detail = STRUCTURE[name]
    report = verify_contract(edit_graphs(conversion, edit))
    assert [each.name for each in report.failures] == [check_name]
    assert detail in report.failures[0].detail
    assert not any(each.name.startswith("gradient") for each in report.checks)


def test_a_file_that_litert_cannot_run_fails_without_a_crash(
    conversion: PersonalizableModel,
) -> None:
    def edit(model: Model) -> None:
        graph = graph_of(model, "train")
        sums = next(op for op in graph.ops if op.code == "SUM")
        sums.set_inputs([sums.input(0), graph.constant(np.array([7], np.int32))])

    assert "LiteRT runs the file" in failures(edit_graphs(conversion, edit))
