"""Conversion of small bases: batches, dtypes, cuts, state variables, signatures."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from ai_edge_litert.interpreter import Interpreter, OpResolverType
from convert_bases import (
    SIZE,
    batch_of_four,
    cast_to_float,
    classifier,
    convolution_last,
    dense,
    dynamic,
    file,
    float16_features,
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
from sartor.flatbuffer import read, write
from sartor.graph import DType, Graph, Model, Op, Tensor
from sartor.ops import relu
from sartor.optimizers import SGD


def cast_classifier(x: Tensor) -> Tensor:
    return classifier(cast_to_float(x))


BASES: dict[str, tuple[bytes, str]] = {
    "plain": (file(classifier), "float32"),
    "batch of four": (file(batch_of_four, (4, 2, 6)), "float32"),
    "free batch": (write(dynamic()), "float32"),
    "features sized at run time": (write(dynamic(computed_features=True)), "float32"),
    "int64": (file(cast_classifier, dtype="INT64"), "int32"),
    "bool": (file(cast_classifier, dtype="BOOL"), "int32"),
    "int8, not quantized": (file(cast_classifier, dtype="INT8"), "int32"),
    "int16, not quantized": (file(cast_classifier, dtype="INT16"), "int32"),
    "int32": (file(cast_classifier, dtype="INT32"), "int32"),
    "float16": (file(cast_classifier, dtype="FLOAT16"), "float32"),
    "float64": (file(cast_classifier, dtype="FLOAT64"), "float32"),
    "int8, quantized": (file(quantized_input, dtype="INT8"), "float32"),
    "int16, quantized": (file(quantized_input, dtype="INT16"), "float32"),
    "a variable that does not change": (write(stateful(changes=False)), "float32"),
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
    size = sum(int(np.prod(spec.shape)) for spec in conversion.manifest.features)
    assert accuracy_after(session_of(conversion), steps=60, rate=4 / size) > 0.99


@pytest.mark.parametrize("name", BASES)
def test_converted_base_converts_again(name: str) -> None:
    first = sartor.convert(BASES[name][0], classes=3)
    second = sartor.convert(first.content, classes=4)
    before, after = first.manifest.fingerprints, second.manifest.fingerprints
    assert (before.base, before.head) == (after.base, after.head)
    assert first.manifest.inputs == second.manifest.inputs
    assert first.manifest.features == second.manifest.features
    inputs = some_inputs(first)
    actual, expected = (
        session_of(conversion).call("infer", **inputs) for conversion in (second, first)
    )
    for spec in first.manifest.features:
        np.testing.assert_array_equal(actual[spec.name], expected[spec.name])


@pytest.mark.parametrize(
    "name",
    [
        "plain", "batch of four", "free batch", "features sized at run time", "int64",
        "int8, quantized", "several features", "two inputs",
    ],
)  # fmt: skip
def test_compiled_model_agrees_with_the_interpreter(name: str) -> None:
    conversion = sartor.convert(BASES[name][0], classes=3)
    inputs = some_inputs(conversion)
    expected = session_of(conversion).call("infer", **inputs)
    actual = compiled(conversion.content)("infer", inputs)
    for key, value in expected.items():
        np.testing.assert_allclose(actual[key], value, atol=1e-6, err_msg=key)


@pytest.mark.parametrize(
    ("name", "shape"),
    [
        ("batch of four", (4, 2, 6)),
        ("free batch", (1, 3, 4)),
        ("features sized at run time", (1, 3, 4)),
        ("int64", (1, SIZE)),
        ("bool", (1, SIZE)),
        ("float16", (1, SIZE)),
        ("int8, quantized", (1, SIZE)),
        ("int16, quantized", (1, SIZE)),
    ],
)
def test_adapted_inputs_give_the_same_features(name: str, shape: tuple[int, ...]) -> None:
    """The features equal the tensor `hidden` or `flat` of the base for the same sample."""
    base = BASES[name][0]
    conversion = sartor.convert(base, classes=3)
    (spec,) = conversion.manifest.inputs
    (sample,) = some_inputs(conversion).values()
    features = session_of(conversion).call("infer", **{spec.name: sample})[FEATURES]
    interpreter = Interpreter(
        model_content=base,
        experimental_preserve_all_tensors=True,
        experimental_op_resolver_type=OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES,
    )
    interpreter.allocate_tensors()
    (details,) = interpreter.get_input_details()
    if name.startswith("int8"):
        value = (np.rint(sample / 0.05) - 3).astype(np.int8)
    elif name.startswith("int16"):
        value = np.clip(np.rint(sample / 0.05), -32768, 32767).astype(np.int16)
    else:
        value = sample.astype(details["dtype"])
    interpreter.set_tensor(details["index"], np.broadcast_to(value, shape).copy())
    interpreter.invoke()
    cut_at = "flat" if name.startswith("features") else "hidden"
    index = next(d["index"] for d in interpreter.get_tensor_details() if d["name"] == cut_at)
    np.testing.assert_allclose(features[0], interpreter.get_tensor(index)[0], atol=1e-5)


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
    ids=["by name", "in a list", "a later tensor", "the input", "several", "float16", "quantized"],
)  # fmt: skip
def test_features_are_cut_at_the_named_tensors(
    build: Callable[[Tensor], Tensor], names: str | list[str], specs: list[FeatureSpec]
) -> None:
    conversion = sartor.convert(file(build), classes=3, features=names)
    assert list(conversion.manifest.features) == specs
    assert_keeps_the_contract(conversion)
    inputs = some_inputs(conversion)
    expected = session_of(conversion).call("infer", **inputs)
    actual = compiled(conversion.content)("infer", inputs)
    for name, value in expected.items():
        np.testing.assert_allclose(actual[name], value, atol=1e-6)


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


@pytest.mark.parametrize(("dtype", "zero"), [("INT8", -3), ("UINT8", 0)])
def test_quantized_window_takes_real_numbers(dtype: str, zero: int) -> None:
    conversion = sartor.convert(file(quantized_input, dtype=dtype), classes=3)
    assert conversion.notes == (
        f"input takes real numbers; the base quantizes them to {dtype.lower()} with scale 0.05 and "
        f"zero point {zero}",
    )
    reals = (0.05 * np.arange(SIZE, dtype=np.float32))[np.newaxis]
    session = session_of(conversion)
    features, near = (
        session.call("infer", input=reals + np.float32(shift))[FEATURES] for shift in (0, 0.02)
    )
    np.testing.assert_array_equal(near, features)
    assert_keeps_the_contract(conversion)
    again = sartor.convert(conversion.content, classes=3)
    assert again.manifest.inputs == conversion.manifest.inputs


def test_base_with_variables_converts_again() -> None:
    conversion = sartor.convert(write(stateful(changes=False)), classes=3)
    again = sartor.convert(conversion.content, classes=7)
    infer = next(s for s in read(again.content).signatures if s.key == "infer")
    codes = [op.code for op in infer.graph.ops]
    assert codes.count("CALL_ONCE") == 2, "one for the base, one for the head"


def test_only_the_graph_of_the_default_signature_is_kept() -> None:
    model = read(sartor.convert(write(two_subgraphs()), classes=3).content)
    assert {s.key for s in model.signatures} == set(SIGNATURES)
    assert len(model.graphs) == 8  # seven signatures and the initializer


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
