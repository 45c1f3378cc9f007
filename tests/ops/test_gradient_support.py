"""Inputs without a gradient rule, unsupported options and inputs that do not fit an op."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from image_cases import IMAGE_CASES
from op_cases import CASES

from sartor.errors import ConversionError, DataError, GradientError
from sartor.graph import DType, Graph, Op, Tensor
from sartor.ops import (
    ROWS,
    GradientSupport,
    dequantize,
    emit,
    evaluate,
    input_gradient,
    output_gradient,
)
from sartor.ops._activation import Activation

SUPPORT = [
    (row.code, index, support)
    for row in ROWS.values()
    for index, support in enumerate(row.gradients)
    if isinstance(support, GradientSupport)
]


def op_without_inference(code: str, inputs: int, **options: Any) -> Op:
    """Return an op as read from a file, without inferred shapes."""
    graph = Graph()
    tensors = [graph.input(f"x{i}", (2, 3)) for i in range(inputs)]
    return graph.add(Op(code, tensors, [graph.tensor("y", DType.FLOAT32, (2, 3))], options=options))


@pytest.mark.parametrize(("code", "index", "support"), SUPPORT)
def test_an_input_without_a_rule_has_a_zero_gradient_or_an_error(
    code: str, index: int, support: GradientSupport
) -> None:
    op = op_without_inference(code, index + 1)
    if support is GradientSupport.ZERO:
        assert input_gradient(op, index, op.output) is None
        return
    reason = f": {ROWS[code].unsupported}" if ROWS[code].unsupported else ""
    message = (
        f"the gradient of <{code} → y> with respect to its input {index} "
        f"(<FLOAT32 [2, 3] 'x{index}'>) is {support.value}{reason}. "
        "Choose features behind this op (`features=`)"
    )
    with pytest.raises(GradientError, match=re.escape(message)):
        input_gradient(op, index, op.output)


def test_a_zero_gradient_emits_nothing() -> None:
    op = op_without_inference("GREATER", 2)
    input_gradient(op, 0, op.output)
    assert op.output.graph.ops == [op]


def test_an_op_without_a_row_has_an_error_that_names_it() -> None:
    message = "Sartor has no row for NEW_OP, so it cannot be differentiated. Choose features behind"
    op = op_without_inference("NEW_OP", 1)
    with pytest.raises(GradientError, match=message):
        input_gradient(op, 0, op.output)


def test_the_error_of_a_custom_op_has_its_custom_name() -> None:
    op = op_without_inference("CUSTOM", 1)
    op.custom_code = "FlexErf"
    message = re.escape(
        "the gradient of <FlexErf → y> with respect to its input 0 (<FLOAT32 [2, 3]"
    )
    with pytest.raises(GradientError, match=message):
        input_gradient(op, 0, op.output)


def test_the_error_of_a_missing_rule_names_the_page() -> None:
    op = op_without_inference("CONV_3D", 3)
    message = "is not yet supported. Choose features .*, or add a rule (docs/add-a-gradient.md)."
    with pytest.raises(GradientError, match=message.replace("(", r"\(").replace(")", r"\)")):
        input_gradient(op, 1, op.output)


def test_comparisons_and_rounding_have_zero_gradients_and_indices_none() -> None:
    support = {row.code: row.gradients for row in ROWS.values()}
    zero, none = GradientSupport.ZERO, GradientSupport.NOT_DIFFERENTIABLE
    assert support["LESS"] == support["EQUAL"] == (zero, zero)
    assert support["FLOOR"] == support["ROUND"] == support["SHAPE"] == (zero,)
    assert support["ARG_MAX"] == (zero, none)
    assert support["UNIQUE"] == (GradientSupport.NOT_SUPPORTED, none)


@pytest.mark.parametrize("code", ["LSTM", "UNIDIRECTIONAL_SEQUENCE_LSTM", "RNN"])
def test_a_recurrent_layer_has_its_own_error(code: str) -> None:
    op = op_without_inference(code, 3)
    message = (
        "is not yet supported: recurrent layers are not differentiated through time. Choose "
        "features behind this op"
    )
    with pytest.raises(GradientError, match=message):
        input_gradient(op, 1, op.output)


@pytest.mark.parametrize("activation", [Activation.TANH, Activation.SIGN_BIT])
@pytest.mark.parametrize(
    "code", [row.code for row in ROWS.values() if row.activation and row.reference]
)
def test_fused_activations_that_litert_does_not_run_are_refused(
    code: str, activation: Activation
) -> None:
    case = next(each for each in [*CASES, *IMAGE_CASES] if each.code == code)
    case = replace(case, options={**case.options, "fusedActivationFunction": int(activation)})
    graph = Graph()
    inputs = [graph.input(f"x{i}", x.shape) for i, x in enumerate(case.inputs)]
    output = case.build(*inputs)
    assert output.producer is not None
    message = f"<{code} → {output.name}>: the fused activation {activation.name} is not supported"
    with pytest.raises(GradientError, match=message):
        output_gradient(output.producer, output)
    message = f"{activation.name} is not supported: LiteRT does not run"
    with pytest.raises(GradientError, match=message):
        evaluate(graph, {x: np.ones(x.shape) for x in inputs})


def test_the_gradient_of_a_sum_over_computed_axes_is_not_yet_supported() -> None:
    op = op_without_inference("SUM", 2)
    message = "the gradient of <SUM → y> is not yet supported: .*'x1'> must be a constant"
    with pytest.raises(GradientError, match=message):
        input_gradient(op, 0, op.output)


@pytest.mark.parametrize(
    ("strides", "options", "message"),
    [
        ((1, -1), {}, "a stride of -1 is not supported"),
        ((1, 1), {"newAxisMask": 1}, "newAxisMask is not supported"),
        ((1, 1), {"ellipsisMask": 1}, "ellipsisMask is not supported"),
    ],
)
def test_the_gradient_of_a_strided_slice_that_is_not_a_box_is_not_yet_supported(
    strides: tuple[int, ...], options: dict[str, int], message: str
) -> None:
    graph = Graph()
    x = graph.input("x", (2, 3))
    ints = [graph.constant(np.array(v, np.int32)) for v in ((0, 0), (2, 3), strides)]
    y = graph.tensor("y", DType.FLOAT32, (2, 3))
    op = graph.add(Op("STRIDED_SLICE", [x, *ints], [y], options=options))
    with pytest.raises(GradientError, match=f"is not yet supported: {message}"):
        input_gradient(op, 0, y)


def ints(*values: object) -> np.ndarray:
    return np.array(values, np.int32)


@pytest.mark.parametrize(
    ("code", "shape", "others", "options", "message"),
    [
        ("ADD", (2, 3), [np.ones(4, np.float32)], {}, "do not broadcast together"),
        ("ADD", (2, 3), [ints(1, 2, 3)], {}, "must be of one type"),
        ("SUM", (2, 3), [ints(2)], {}, "axis 2 is out of range for rank 2"),
        ("MEAN", (2, 3), [ints(-3)], {}, "axis -3 is out of range for rank 2"),
        ("RESHAPE", (2, 3), [ints(4, -1)], {}, "6 elements do not fill shape"),
        ("RESHAPE", (2, 3), [ints(-1, -1)], {}, "6 elements do not fill shape"),
        ("RESHAPE", (2, 3), [ints(5)], {}, "6 elements do not fill shape"),
        ("TRANSPOSE", (2, 3), [ints(0, 0)], {}, "is not a permutation of 2 axes"),
        ("CONCATENATION", (2, 3), [np.ones((3, 3), np.float32)], {"axis": 1}, "differ elsewhere"),
        ("SLICE", (2, 3), [ints(0, 2), ints(2, 2)], {}, "slice 2:4 is out of range for size 3"),
        ("SLICE", (2, 3), [ints(0), ints(1)], {}, "SLICE does not take"),
        ("STRIDED_SLICE", (2, 3), [ints(0, 0), ints(2, 3), ints(1, 0)], {}, "a stride of 0"),
        ("PAD", (2, 3), [ints([0, 1])], {}, "PAD does not take"),
        ("BATCH_MATMUL", (2, 3), [np.ones((4, 2), np.float32)], {}, "inner sizes 3 and 4 differ"),
        ("BATCH_MATMUL", (2, 3), [np.ones(3, np.float32)], {}, "need rank 2 or more"),
        ("FULLY_CONNECTED", (2, 3), [np.ones((2, 4), np.float32)], {}, "6 elements do not fill"),
        ("FULLY_CONNECTED", (2, 4), [np.ones((2, 8), np.float32)], {"keepNumDims": True},
         "the last axis has 4 elements, the weights take 8"),
        ("FULLY_CONNECTED", (2, 3), [np.ones((2, 3), np.float32)], {"weightsFormat": 1},
         "shuffled weights are not supported"),
        ("QUANTIZE", (2, 3), [], {}, "QUANTIZE is emitted by sartor.ops.quantize"),
        ("CONV_3D", (2, 3), [], {}, "the row of CONV_3D has no shape rule"),
        ("CONV_2D", (1, 4, 4, 3), [np.ones((2, 3, 3, 2), np.float32)], {"strideH": 1, "strideW": 1},
         "3 channels do not fill groups of 2"),
        ("CONV_2D", (1, 4, 4, 3), [np.ones((2, 3, 3, 3), np.float32)], {"strideH": 0, "strideW": 1},
         "stride 0, dilation 1, window 3"),
        ("CONV_2D", (4, 3), [np.ones((2, 3, 3, 3), np.float32)], {"strideH": 1, "strideW": 1},
         "an image has 4 axes, got shape"),
        ("DEPTHWISE_CONV_2D", (1, 4, 4, 3), [np.ones((1, 3, 3, 4), np.float32)],
         {"strideH": 1, "strideW": 1}, "a filter .* for"),
        ("SPLIT", (2, 3), [], {"numSplits": 2}, "must be a constant"),
        ("SPLIT_V", (2, 3), [ints(1, 1), ints(1)], {}, "3 elements do not split into"),
        ("UNPACK", (2, 3), [], {"num": 3}, "3 parts of an axis of size 2"),
        ("SQUEEZE", (2, 3), [], {"squeezeDims": [1]}, "are not all of size 1"),
        ("BROADCAST_TO", (2, 3), [ints(2, 4)], {}, "do not broadcast together"),
        ("SPACE_TO_DEPTH", (1, 3, 2, 1), [], {"blockSize": 2}, "is not filled by blocks of 2x2"),
        ("DEPTH_TO_SPACE", (1, 3, 2, 2), [], {"blockSize": 2}, "do not fill blocks of 2x2"),
        ("GATHER", (2, 3), [ints(0)], {"batchDims": 1}, "1 shared axes do not fit axis 0"),
        ("GATHER", (2, 3), [ints(0, 1, 2)], {"axis": 1, "batchDims": 1}, "do not share 1 axes"),
        ("GATHER_ND", (2, 3), [ints([0, 0, 0])], {}, "indices of 3 axes for rank 2"),
        ("SPACE_TO_BATCH_ND", (1, 3, 4, 1), [ints(2, 2), ints([0, 0], [0, 0])], {},
         r"\[3, 4\] is not filled by blocks of \[2, 2\]"),
        ("BATCH_TO_SPACE_ND", (3, 2, 2, 1), [ints(2, 1), ints([0, 0], [0, 0])], {},
         r"a batch of 3 does not fill blocks of \[2, 1\]"),
        ("VAR_HANDLE", (2, 3), [], {}, "emitted by the functions of sartor.ops.state"),
    ],
)  # fmt: skip
def test_inputs_that_do_not_fit_an_op_are_refused(
    code: str,
    shape: tuple[int, ...],
    others: list[np.ndarray],
    options: dict[str, Any],
    message: str,
) -> None:
    graph = Graph()
    x = graph.input("x", shape)
    with pytest.raises(ConversionError, match=message):
        emit(code, x, *others, **options)
    assert not graph.ops


def test_a_python_number_becomes_a_float32_scalar() -> None:
    y = emit("MUL", Graph().input("x", (2,)), 3)
    assert y.producer is not None
    assert repr(y.producer.input(1)) == "<FLOAT32 [] 'constant'>"


def test_evaluate_requires_a_value_for_each_input() -> None:
    x = Graph().input("x", (2,))
    with pytest.raises(DataError, match=r"`feeds` has no value for the inputs .*'x'"):
        evaluate(x.graph, {})


def test_evaluate_accepts_the_output_of_an_op_without_a_reference_as_a_feed() -> None:
    graph = Graph()
    x = graph.input("x", (2,), DType.INT8)
    y: Tensor = dequantize(x)
    z = emit("NEG", y)
    with pytest.raises(GradientError, match="has no NumPy reference"):
        evaluate(graph, {x: np.zeros(2, np.int8)})
    values = evaluate(graph, {x: np.zeros(2, np.int8), y: np.array([1.0, 2.0])})
    assert values[z].tolist() == [-1.0, -2.0]
