"""Conversion of small bases: batches, dtypes, cuts, state variables, signatures."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from ai_edge_litert.interpreter import Interpreter, OpResolverType
from convert_bases import (
    SIZE,
    batch_mixed_in,
    batch_of_four,
    cast_to_float,
    classifier,
    convolution_last,
    dense,
    dynamic,
    file,
    float16_features,
    indices,
    quantized_hidden,
    quantized_input,
    residual,
    stateful,
    two_inputs,
    two_subgraphs,
)
from convert_helpers import (
    accuracy_after,
    assert_keeps_the_contract,
    compiled,
    session_of,
    some_inputs,
)

import sartor
from sartor.contract.manifest import FeatureSpec
from sartor.contract.names import FEATURES, SIGNATURES
from sartor.errors import ConversionError
from sartor.flatbuffer import read, write
from sartor.graph import DType, Graph, Model, Op, Tensor
from sartor.ops import relu
from sartor.optimizers import SGD


def casting(x: Tensor) -> Tensor:
    return classifier(cast_to_float(x))


BASES: dict[str, tuple[bytes, str]] = {
    "plain": (file(classifier), "float32"),
    "batch of four": (file(batch_of_four, (4, 2, 6)), "float32"),
    "free batch": (write(dynamic()), "float32"),
    "features sized at run time": (write(dynamic(computed_features=True)), "float32"),
    "int64": (file(casting, dtype="INT64"), "int32"),
    "bool": (file(casting, dtype="BOOL"), "int32"),
    "int8 that stands for itself": (file(casting, dtype="INT8"), "int32"),
    "int16 that stands for itself": (file(casting, dtype="INT16"), "int32"),
    "int32": (file(casting, dtype="INT32"), "int32"),
    "float16": (file(casting, dtype="FLOAT16"), "float32"),
    "float64": (file(casting, dtype="FLOAT64"), "float32"),
    "int8 that stands for reals": (file(quantized_input, dtype="INT8"), "uint8"),
    "int16 that stands for reals": (file(quantized_input, dtype="INT16"), "float32"),
    "state of its own": (write(stateful()), "float32"),
    "two subgraphs": (write(two_subgraphs()), "float32"),
    "two inputs": (write(two_inputs()), "float32"),
    "no classifier": (file(convolution_last, (1, 9, 9, 3)), "float32"),
    "several features": (file(residual), "float32"),
}


@pytest.mark.parametrize("name", BASES)
def test_base_converts_fulfills_the_contract_and_trains(name: str) -> None:
    base, dtype = BASES[name]
    conversion = sartor.convert(base, classes=3, optimizer=SGD())
    assert [spec.dtype for spec in conversion.manifest.inputs] == [dtype] * len(
        conversion.manifest.inputs
    )
    assert_keeps_the_contract(conversion)
    wide = sum(int(np.prod(spec.shape)) for spec in conversion.manifest.features)
    assert accuracy_after(session_of(conversion), steps=60, rate=4 / wide) > 0.99


@pytest.mark.parametrize("name", [name for name in BASES if name != "state of its own"])
def test_converted_base_converts_again(name: str) -> None:
    first = sartor.convert(BASES[name][0], classes=3)
    second = sartor.convert(first.content, classes=4)
    marks, later = first.manifest.fingerprints, second.manifest.fingerprints
    assert (marks.base, marks.head) == (later.base, later.head)
    assert first.manifest.inputs == second.manifest.inputs
    assert first.manifest.features == second.manifest.features
    inputs = some_inputs(first)
    found, wanted = (
        session_of(conversion).call("infer", **inputs) for conversion in (second, first)
    )
    for spec in first.manifest.features:
        np.testing.assert_array_equal(found[spec.name], wanted[spec.name])


@pytest.mark.parametrize(
    "name",
    [
        "plain", "batch of four", "free batch", "features sized at run time", "int64",
        "int8 that stands for reals", "several features", "two inputs",
    ],
)  # fmt: skip
def test_compiled_model_agrees_with_the_interpreter(name: str) -> None:
    conversion = sartor.convert(BASES[name][0], classes=3)
    inputs = some_inputs(conversion)
    wanted = session_of(conversion).call("infer", **inputs)
    found = compiled(conversion.content)("infer", inputs)
    for key, value in wanted.items():
        np.testing.assert_allclose(found[key], value, atol=1e-6, err_msg=key)


@pytest.mark.parametrize(
    ("name", "given"),
    [
        ("batch of four", (4, 2, 6)),
        ("free batch", (1, 3, 4)),
        ("features sized at run time", (1, 3, 4)),
        ("int64", (1, SIZE)),
        ("bool", (1, SIZE)),
        ("float16", (1, SIZE)),
        ("int8 that stands for reals", (1, SIZE)),
        ("int16 that stands for reals", (1, SIZE)),
    ],
)
def test_adapted_inputs_give_the_same_features(name: str, given: tuple[int, ...]) -> None:
    """What the base itself gives for the row, at the tensor `hidden` or `flat`."""
    base = BASES[name][0]
    conversion = sartor.convert(base, classes=3)
    (spec,) = conversion.manifest.inputs
    (taken,) = some_inputs(conversion).values()
    personal = session_of(conversion).call("infer", **{spec.name: taken})[FEATURES]
    plain = Interpreter(
        model_content=base,
        experimental_preserve_all_tensors=True,
        experimental_op_resolver_type=OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES,
    )
    plain.allocate_tensors()
    (details,) = plain.get_input_details()
    if name.startswith("int8"):
        value = (taken.astype(np.int16) - 128).astype(np.int8)
    elif name.startswith("int16"):
        value = np.clip(np.rint(taken / 0.05), -32768, 32767).astype(np.int16)
    else:
        value = taken.astype(details["dtype"])
    plain.set_tensor(details["index"], np.broadcast_to(value, given).copy())
    plain.invoke()
    cut_at = "flat" if name.startswith("features") else "hidden"
    index = next(d["index"] for d in plain.get_tensor_details() if d["name"] == cut_at)
    np.testing.assert_allclose(personal[0], plain.get_tensor(index)[0], atol=1e-5)


def test_several_features_are_numbered_in_order_of_use() -> None:
    conversion = sartor.convert(BASES["several features"][0], classes=3)
    assert [spec.name for spec in conversion.manifest.features] == ["features", "features_1"]
    assert [spec.shape for spec in conversion.manifest.features] == [(7,), (5,)]


@pytest.mark.parametrize(
    ("build", "names", "specs"),
    [
        (classifier, "hidden", [FeatureSpec("features", (6,))]),
        (classifier, ["hidden"], [FeatureSpec("features", (6,))]),
        (classifier, "logits", [FeatureSpec("features", (5,))]),
        (classifier, "x", [FeatureSpec("features", (SIZE,))]),
        (
            residual, ["first", "second"],
            [FeatureSpec("features", (5,)), FeatureSpec("features_1", (7,))],
        ),
        (float16_features, "half", [FeatureSpec("features", (6,))]),
        (
            quantized_hidden, "codes",
            [FeatureSpec("features", (6,), "int8", float(np.float32(0.05)), -3)],
        ),
    ],
    ids=["by name", "in a list", "behind", "the input", "several", "float16", "quantized"],
)  # fmt: skip
def test_features_are_cut_at_the_named_tensors(
    build: Callable[[Tensor], Tensor], names: str | list[str], specs: list[FeatureSpec]
) -> None:
    conversion = sartor.convert(file(build), classes=3, features=names)
    assert list(conversion.manifest.features) == specs
    assert_keeps_the_contract(conversion)
    inputs = some_inputs(conversion)
    wanted = session_of(conversion).call("infer", **inputs)
    found = compiled(conversion.content)("infer", inputs)
    for name, value in wanted.items():
        np.testing.assert_allclose(found[name], value, atol=1e-6)


def test_cut_removes_unused_inputs() -> None:
    base = write(two_inputs())
    conversion = sartor.convert(base, classes=3, features="left only")
    assert [spec.name for spec in conversion.manifest.inputs] == ["input"]
    whole = sartor.convert(base, classes=3)
    assert [spec.name for spec in whole.manifest.inputs] == ["left", "right"]
    again = sartor.convert(whole.content, classes=3, features="left only")
    assert [spec.name for spec in again.manifest.inputs] == ["left"]
    assert_keeps_the_contract(again)


def test_inputs_of_equal_name_get_numbers() -> None:
    conversion = sartor.convert(write(two_inputs(["same", "same:0"])), classes=3)
    assert [spec.name for spec in conversion.manifest.inputs] == ["same_0", "same_1"]


def test_tensor_of_the_base_can_have_a_name_of_the_contract() -> None:
    def build(x: Tensor) -> Tensor:
        hidden = relu(dense(x, 6, "output"))
        hidden.name = "features"
        return dense(hidden, 5, "loss")

    conversion = sartor.convert(file(build, name="features"), classes=3)
    again = sartor.convert(conversion.content, classes=3)
    assert again.manifest.fingerprints.base == conversion.manifest.fingerprints.base
    assert_keeps_the_contract(again)


def test_base_with_state_variables_gives_a_note_and_converts_again() -> None:
    conversion = sartor.convert(write(stateful()), classes=3)
    assert any("has state variables" in note for note in conversion.notes)
    again = sartor.convert(conversion.content, classes=7)
    assert_keeps_the_contract(again)
    infer = next(s for s in read(again.content).signatures if s.key == "infer")
    assert [op.code for op in infer.graph.ops].count("CALL_ONCE") == 2  # its own, and the head's


def test_only_the_graph_of_the_default_signature_is_kept() -> None:
    conversion = read(sartor.convert(write(two_subgraphs()), classes=3).content)
    assert {s.key for s in conversion.signatures} == set(SIGNATURES)
    assert len(conversion.graphs) == 8  # seven signatures and the initializer


REFUSED: dict[str, tuple[Callable[[], bytes], dict[str, Any], str]] = {
    "no weights": (lambda: file(relu), {}, "no layer with weights"),
    "wrong name": (lambda: file(classifier), {"features": "hiden"}, "Close to it: 'hidden'"),
    "a name twice": (
        lambda: file(classifier), {"features": ["hidden", "hidden"]}, "'hidden' twice",
    ),
    "integers": (lambda: file(indices), {"features": "best"}, "<INT32 .1. 'best'> cannot be"),
    "free sizes": (lambda: free_sizes(), {}, r"axes of variable size: \[-1, -1\]"),
    "no batch axis": (lambda: file(relu, ()), {"features": "relu"}, "no batch axis"),
    "a batch that is mixed in": (
        lambda: file(batch_mixed_in, (4, 2, 6)), {}, "mixes the batch of 4",
    ),
    "batches that differ": (lambda: two_batches(), {}, r"differ in batch size: \[2, 3\]"),
    "text": (lambda: text(), {"features": "hidden"}, "dtype that signatures do not allow"),
    "constant features": (lambda: constant_features(), {}, "do not depend on any input"),
}  # fmt: skip


def free_sizes() -> bytes:
    model = read(file(classifier))
    model.main.inputs[0].shape_signature = (-1, -1)
    return write(model)


def two_batches() -> bytes:
    model = two_inputs()
    for tensor, batch in zip(model.main.inputs, (2, 3), strict=True):
        tensor.shape = (batch, *tensor.shape[1:])
    return write(model)


def text() -> bytes:
    return file(lambda x: classifier(cast_to_float(x)), dtype="STRING")


def constant_features() -> bytes:
    model = read(file(classifier))
    graph = model.main
    graph.ops[0].set_inputs(
        [graph.constant(np.ones((1, SIZE), np.float32)), *graph.ops[0].inputs[1:]]
    )
    return write(model)


@pytest.mark.parametrize("name", REFUSED)
def test_unsuitable_bases_raise_an_error(name: str) -> None:
    base, settings, words = REFUSED[name]
    with pytest.raises(ConversionError, match=words):
        sartor.convert(base(), classes=3, **settings)


def test_base_can_have_thousands_of_layers() -> None:
    model, graph = Model(), Graph("main")
    model.graphs.append(graph)
    x = graph.input("x", (1, 4))
    for _ in range(3000):
        y = graph.tensor("y", DType.FLOAT32, (1, 4))
        graph.add(Op("RELU", (x,), (y,)))
        x = y
    weights, bias = graph.constant(np.ones((2, 4), np.float32)), graph.constant(np.ones(2, "f"))
    logits = graph.tensor("logits", DType.FLOAT32, (1, 2))
    graph.add(
        Op("FULLY_CONNECTED", (x, weights, bias), (logits,), options={},
           options_type="FullyConnectedOptions")
    )  # fmt: skip
    graph.outputs = [logits]
    conversion = sartor.convert(write(model), classes=2)
    assert [spec.shape for spec in conversion.manifest.features] == [(4,)]
