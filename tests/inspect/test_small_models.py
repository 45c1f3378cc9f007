"""Descriptions of small models: branches, gradients, quantization, variables."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from inspect_helpers import command, layer, model_of, op, residual

import sartor
from sartor.errors import ConversionError
from sartor.flatbuffer import write
from sartor.graph import DType, Graph, Model, Op, Quantization, Signature
from sartor.inspection import ModelDescription
from sartor.ops import mean, read_variable, softmax, var_handle
from sartor.ops.state import assign_variable


@pytest.fixture
def description(tmp_path: Path) -> ModelDescription:
    return describe_model(tmp_path, residual())


def describe_model(folder: Path, content: bytes) -> ModelDescription:
    path = folder / "model.tflite"
    path.write_bytes(content)
    result = sartor.describe(path)
    assert isinstance(result, ModelDescription)
    return result


def test_a_cut_through_branches_has_several_tensors(description: ModelDescription) -> None:
    assert [cut.features for cut in description.cuts] == [
        ("end",), ("c",), ("sum",), ("a", "b"), ("a",), ("x",),
    ]  # fmt: skip
    assert [cut.bytes_per_sample for cut in description.cuts] == [6, 6, 12, 24, 12, 8]
    assert [cut.multiply_adds_before for cut in description.cuts] == [78, 78, 60, 60, 24, 0]
    assert [cut.parameters_after for cut in description.cuts] == [0, 0, 18, 18, 54, 78]
    assert [cut.is_useful for cut in description.cuts] == [False, True, True, False, True, True]
    assert [cut.features for cut in description.cuts if cut.is_default] == [("sum",)]
    assert description.activation_bytes == 4 * (6 + 6 + 6), "a, b and their sum"
    assert list(description.tensors) == ["end", "c", "sum", "b", "a", "x"]


def test_a_model_that_takes_text_has_no_cut(tmp_path: Path) -> None:
    graph = Graph("main")
    text = graph.input("text", (1, 4), DType.STRING)
    equal = graph.tensor("equal", DType.BOOL, (1, 4))
    graph.add(Op("EQUAL", (text, text), (equal,), options_type="EqualOptions"))
    ids = graph.tensor("ids", DType.FLOAT32, (1, 4))
    graph.add(Op("CAST", (equal,), (ids,)))
    graph.outputs = [layer(graph, layer(graph, ids, 8, "hidden"), 3, "output")]
    content = model_of(graph)
    description = describe_model(tmp_path, content)
    assert description.cuts == ()
    with pytest.raises(ConversionError) as error_info:
        sartor.convert(content, classes=2)
    assert description.conversion_error is not None
    assert "after its tokenizer" in description.conversion_error
    assert "after its tokenizer" in str(error_info.value)


GRADIENTS = {
    "SOFTMAX": ([True, True, True], []),
    "SIN": ([False, False, False], [("SIN", "not yet supported", "the gradient of <SIN")]),
    "FLOOR": ([False, False, False], [("FLOOR", "zero gradient", "zero")]),
}


@pytest.mark.parametrize("last", GRADIENTS)
def test_gradients_stop_at_ops_without_a_rule(last: str, tmp_path: Path) -> None:
    description = describe_model(tmp_path, residual(last))
    trainable, stops = GRADIENTS[last]
    assert [each.name for each in description.layers] == ["c", "b", "a"]
    assert [each.trainable for each in description.layers] == trainable
    assert len(description.gradient_stops) == len(stops)
    for stop, (code, state, reason) in zip(description.gradient_stops, stops, strict=True):
        assert (stop.op, stop.name, stop.support) == (code, "end", state)
        assert reason in stop.reason
        assert all(
            each.reason == f"no: gradients stop at {code} 'end'" for each in description.layers
        )


def test_gradients_stop_at_activations_without_a_rule(tmp_path: Path) -> None:
    graph = Graph("main")
    hidden = layer(graph, graph.input("x", (1, 4)), 6, "a")
    graph.outputs = [layer(graph, hidden, 2, "b", activation=4)]  # TANH
    description = describe_model(tmp_path, model_of(graph))
    assert [(stop.name, stop.support) for stop in description.gradient_stops] == [
        ("b", "not yet supported")
    ]
    assert "TANH" in description.gradient_stops[0].reason
    assert not any(each.trainable for each in description.layers)


def test_dequantized_weights_count_as_stored(tmp_path: Path) -> None:
    graph = Graph("main")
    x = graph.input("x", (1, 4))
    half = graph.constant(np.ones((6, 4), np.float16), "w")
    single = graph.tensor("w32", DType.FLOAT32, (6, 4))
    graph.add(Op("DEQUANTIZE", (half,), (single,), options_type="DequantizeOptions"))
    y = graph.tensor("y", DType.FLOAT32, (1, 6))
    graph.add(Op("FULLY_CONNECTED", (x, single, None), (y,), options_type="FullyConnectedOptions"))
    graph.outputs = [y]
    description = describe_model(tmp_path, model_of(graph))
    assert (description.quantization, description.parameters) == ("float16 weights", 24)
    (only,) = description.layers
    assert (only.dtypes, only.reason) == (("float16",), "yes, after dequantization")
    assert "w32" not in description.tensors


def test_the_first_of_joined_names_is_accepted(tmp_path: Path) -> None:
    """A unique first name identifies a tensor, also in `features=`."""
    graph = Graph("main")
    x = graph.input("x", (1, 4))
    a = layer(graph, x, 6, "block/relu;block/norm;block/conv")
    b = layer(graph, a, 6, "twice;one")
    c = layer(graph, b, 6, "twice;two")
    graph.outputs = [layer(graph, c, 3, "end")]
    content = model_of(graph)
    description = describe_model(tmp_path, content)
    assert [cut.features for cut in description.cuts] == [
        ("end",), ("twice;two",), ("twice;one",), ("block/relu",), ("x",),
    ]  # fmt: skip
    for cut in description.cuts:
        model = sartor.convert(content, classes=2, features=cut.features)
        assert model.manifest.features[0].shape == cut.tensors[0].shape[1:]
    with pytest.raises(ConversionError, match=r"no tensor 'twice'.*inspect --all"):
        sartor.convert(content, classes=2, features="twice")


def test_costs_are_for_batch_1(tmp_path: Path) -> None:
    graph = Graph("main")
    graph.outputs = [layer(graph, layer(graph, graph.input("x", (5, 4)), 6, "a"), 3, "b")]
    description = describe_model(tmp_path, model_of(graph))
    assert description.inputs[0].shape == (5, 4)
    assert description.multiply_adds == 24 + 18
    assert [each.tensors[0].shape for each in description.cuts] == [(1, 3), (1, 6), (1, 4)]


def test_a_model_that_cannot_be_a_base_is_described(tmp_path: Path) -> None:
    graph = Graph("main")
    x = graph.input("x", (1, 4, 4))
    x.shape_signature = (1, -1, 4)
    graph.outputs = [op(graph, "SOFTMAX", (x,), "y", beta=1.0)]
    description = describe_model(tmp_path, model_of(graph))
    assert description.conversion_error is not None
    assert "axes of variable size" in description.conversion_error
    assert description.cuts == ()
    assert "no layer with weights" in description.default_reason
    assert (description.quantization, description.layers) == ("float32", ())


def test_custom_and_flex_ops_are_named(tmp_path: Path) -> None:
    graph = Graph("main")
    x = graph.input("x", (1, 4))
    for code in ("FlexErf", "Mine"):
        y = graph.tensor(code.lower(), DType.FLOAT32, (1, 4))
        graph.add(Op("CUSTOM", (x,), (y,), custom_code=code))
        x = y
    graph.outputs = [layer(graph, x, 2, "end")]
    description = describe_model(tmp_path, model_of(graph))
    kinds = {each.op: (each.kind, each.multiply_adds) for each in description.ops}
    assert kinds == {
        "FlexErf": ("Flex", None), "Mine": ("custom", None), "FULLY_CONNECTED": ("builtin", 8),
    }  # fmt: skip
    assert (description.uncounted, description.multiply_adds) == (("FlexErf", "Mine"), 8)
    assert [stop.op for stop in description.gradient_stops] == ["Mine"]


def test_variables_list_their_readers_and_writers(tmp_path: Path) -> None:
    """The model has the signatures of TensorFlow's recipe for on-device training."""
    infer, train = Graph("infer"), Graph("train")
    x = infer.input("x", (1, 4))
    weights = read_variable(var_handle(infer, "w"), (3, 4), name="w")
    y = infer.tensor("y", DType.FLOAT32, (1, 3))
    infer.add(Op("FULLY_CONNECTED", (x, weights, None), (y,), options_type="FullyConnectedOptions"))
    infer.outputs = [y]
    new = train.input("new", (3, 4))
    assign_variable(var_handle(train, "w"), new)
    train.outputs = [op(train, "ABS", (new,), "done")]
    description = describe_model(
        tmp_path,
        model_of(
            infer,
            Signature("infer", infer, {"x": x}, {"y": y}),
            Signature("train", train, {"new": new}, {"done": train.outputs[0]}),
        ),
    )
    (variable,) = description.variables
    assert (variable.name, variable.dtype, variable.shape) == ("w", "float32", (3, 4))
    assert (variable.read_by, variable.written_by) == (("infer",), ("train",))
    assert [each.key for each in description.signatures] == ["infer", "train"]
    assert description.signatures[1].inputs["new"].shape == (3, 4)
    assert "the input of FULLY_CONNECTED 'y'" in description.default_reason
    assert [cut.features for cut in description.cuts] == [("y",), ("x",)]


def test_computed_shapes_cannot_be_features(tmp_path: Path) -> None:
    graph = Graph("main")
    x = graph.input("x", (1, 4))
    shape = graph.tensor("shape", DType.INT32, (2,))
    graph.add(Op("SHAPE", (x,), (shape,), options_type="ShapeOptions"))
    a = layer(graph, x, 4, "a")
    y = graph.tensor("y", DType.FLOAT32, (1, 4))
    graph.add(Op("RESHAPE", (a, shape), (y,), options_type="ReshapeOptions"))
    graph.outputs = [layer(graph, y, 2, "end")]
    description = describe_model(tmp_path, model_of(graph))
    assert [cut.features for cut in description.cuts] == [("end",), ("y",), ("a",), ("x",)]
    assert "shape" not in description.tensors


def test_integers_take_a_byte(tmp_path: Path) -> None:
    steps = Quantization(np.array([0.1], np.float32), np.array([3], np.int64))
    graph = Graph("main")
    x = graph.tensor("x", DType.INT8, (1, 4))
    x.quantization = steps
    graph.inputs = [x]
    y = op(graph, "ABS", (x,), "y")
    y.quantization = steps
    graph.outputs = [y]
    description = describe_model(tmp_path, model_of(graph))
    assert [cut.bytes_per_sample for cut in description.cuts] == [4, 4]
    assert (description.inputs[0].zero_point, description.quantization) == (3, "int8")


def test_a_part_that_cannot_be_described_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    graph = Graph("main")
    graph.outputs = [layer(graph, graph.input("x", (1, 4)), 3, "y")]
    (tmp_path / "odd.tflite").write_bytes(model_of(graph))

    def fail(_: Model) -> None:
        raise KeyError("an odd option")

    monkeypatch.setattr("sartor.inspection.model.find_variables", fail)
    description = sartor.describe(tmp_path / "odd.tflite")
    assert isinstance(description, ModelDescription)
    assert description.unreadable == {"variables": "'an odd option'"}
    assert description.variables == ()
    assert [cut.features for cut in description.cuts] == [("y",), ("x",)]
    code, out, _ = command(capfd, "inspect", tmp_path / "odd.tflite")
    assert code == 0
    assert "variables: cannot be described: 'an odd option'" in out


def test_a_layer_of_unknown_shape_stops_the_gradient(tmp_path: Path) -> None:
    """As in files with string lookups, whose tensors have no shape before they run."""
    graph = Graph("main")
    x = graph.tensor("unknown", DType.FLOAT32, ())
    graph.add(Op("ABS", (graph.input("x", (1, 4)),), (x,)))
    weights = graph.constant(np.ones((3, 4), np.float32))
    y = graph.tensor("y", DType.FLOAT32, (1, 3))
    graph.add(Op("FULLY_CONNECTED", (x, weights, None), (y,), options_type="FullyConnectedOptions"))
    graph.outputs = [y]
    description = describe_model(tmp_path, model_of(graph))
    assert description.unreadable == {}
    assert "are not known before it runs" in description.gradient_stops[0].reason


def test_signatures_to_choose_from_are_described(tmp_path: Path) -> None:
    graphs = [Graph("a"), Graph("b")]
    for graph in graphs:
        graph.outputs = [layer(graph, graph.input("x", (1, 4)), 3, "y")]
    signatures = [Signature(g.name, g, {"x": g.inputs[0]}, {"y": g.outputs[0]}) for g in graphs]
    model = Model()
    model.graphs, model.signatures = graphs, signatures
    description = describe_model(tmp_path, write(model))
    assert [each.key for each in description.signatures] == ["a", "b"]
    assert "2 signatures: 'a', 'b'" in str(description.conversion_error)
    assert description.cuts == ()


def test_cuts_behind_custom_ops_are_not_offered(tmp_path: Path) -> None:
    graph = Graph("main")
    before = layer(graph, graph.input("x", (1, 4)), 3, "before")
    odd = graph.tensor("odd", DType.FLOAT32, (1, 3))
    graph.add(Op("CUSTOM", (before,), (odd,), custom_code="FlexOdd"))
    graph.outputs = [layer(graph, odd, 2, "classes")]
    description = describe_model(tmp_path, model_of(graph))
    assert [cut.features for cut in description.cuts] == [("before",), ("x",)]
    assert list(description.tensors) == ["before", "x"]
    assert "does not have: FlexOdd" in description.default_reason


def test_tensors_without_a_name_of_their_own_are_listed_by_index(tmp_path: Path) -> None:
    graph = Graph("main")
    graph.outputs = [layer(graph, layer(graph, graph.input("x", (1, 4)), 3, "h"), 2, "y")]
    for tensor in graph.tensors:
        tensor.name = "same"
    content = model_of(graph)
    description = describe_model(tmp_path, content)
    assert list(description.tensors) == ["tensor:4", "tensor:2", "tensor:0"]
    for name, info in description.tensors.items():
        conversion = sartor.convert(content, classes=2, features=name)
        assert conversion.manifest.features[0].shape == info.shape[1:]


def test_the_mean_of_maps_is_the_cut_after_them(tmp_path: Path) -> None:
    graph = Graph("main")
    x = graph.input("x", (1, 8, 8, 3))
    maps = [
        graph.tensor(name, DType.FLOAT32, (1, 8, 8, size)) for name, size in (("a", 5), ("b", 4))
    ]
    options = {"padding": 0, "strideW": 1, "strideH": 1, "dilationWFactor": 1, "dilationHFactor": 1}
    for source, output in zip([x, maps[0]], maps, strict=True):
        filters = np.ones((output.shape[-1], 1, 1, source.shape[-1]), np.float32)
        bias = np.zeros(output.shape[-1], np.float32)
        inputs = (source, graph.constant(filters), graph.constant(bias))
        graph.add(Op("CONV_2D", inputs, (output,), options=options, options_type="Conv2DOptions"))
    graph.outputs = [softmax(mean(maps[1], [1, 2]))]
    description = describe_model(tmp_path, model_of(graph))
    useful = [cut for cut in description.cuts if cut.is_useful]
    assert [cut.features[0] for cut in useful] == ["mean", "mean:a", "x"]
    assert (useful[1].is_default, useful[1].bytes_per_sample) == (True, 10)
    assert description.tensors.keys() >= {"a", "b", "x"}
