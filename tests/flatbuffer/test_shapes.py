"""Shapes that do not fit are rejected before XNNPACK writes beyond the end of a tensor."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from flatbuffer_helpers import MODELS

from sartor.errors import InvalidModelError
from sartor.flatbuffer import check_shapes, read
from sartor.graph import DType, Graph, Model, Op, Tensor

Shape = tuple[int, ...]
Inputs = tuple["Shape | list[int]", ...]

POOL = {"strideH": 2, "strideW": 2, "filterHeight": 2, "filterWidth": 2, "padding": 1}
CONV = {"strideH": 2, "strideW": 1, "dilationHFactor": 1, "dilationWFactor": 2, "padding": 1}

VALID: dict[str, tuple[str, Inputs, Shape, dict[str, Any]]] = {
    "a square": ("SQUARE", ((2, 3),), (2, 3), {}),
    "a sum": ("ADD", ((2, 1), (3,)), (2, 3), {}),
    "a choice": ("SELECT_V2", ((2, 1), (3,), (1, 1)), (2, 3), {}),
    "a mean": ("MEAN", ((2, 3, 4), [1, -1]), (2,), {"keepDims": False}),
    "a mean with kept axes": ("MEAN", ((2, 3, 4), [1]), (2, 1, 4), {"keepDims": True}),
    "a reshape": ("RESHAPE", ((2, 6), [3, -1]), (3, 4), {}),
    "a transpose": ("TRANSPOSE", ((2, 3, 4), [2, 0, 1]), (4, 2, 3), {}),
    "a dense layer": ("FULLY_CONNECTED", ((2, 6), (5, 3), (5,)), (4, 5), {}),
    "a dense layer without a bias": ("FULLY_CONNECTED", ((2, 3), (5, 3)), (2, 5), {}),
    "a matrix product": (
        "BATCH_MATMUL", ((7, 2, 3), (3, 5)), (7, 2, 5), {"adjX": False, "adjY": False},
    ),
    "a product of two transposed matrices": (
        "BATCH_MATMUL", ((3, 2), (5, 3)), (2, 5), {"adjX": True, "adjY": True},
    ),
    "a convolution": ("CONV_2D", ((1, 8, 9, 4), (6, 3, 3, 2), (6,)), (1, 3, 5, 6), CONV),
    "a convolution with SAME padding": (
        "CONV_2D", ((1, 7, 9, 4), (6, 3, 3, 4), (6,)), (1, 4, 9, 6), {**CONV, "padding": 0},
    ),
    "a depthwise convolution": (
        "DEPTHWISE_CONV_2D", ((1, 8, 9, 4), (1, 3, 3, 8), (8,)), (1, 3, 5, 8),
        {**CONV, "depthMultiplier": 2},
    ),
    "a pool": ("MAX_POOL_2D", ((1, 8, 9, 4),), (1, 4, 4, 4), POOL),
}  # fmt: skip

INVALID: dict[str, tuple[str, Inputs, Shape, dict[str, Any]]] = {
    "shapes that cannot be added": ("ADD", ((2, 3), (4,)), (2, 3), {}),
    "an axis out of range": ("SUM", ((2, 3), [2]), (2,), {"keepDims": False}),
    "too many elements": ("RESHAPE", ((2, 6), [3, -1]), (3, 5), {}),
    "a size other than the stated size": ("RESHAPE", ((2, 6), [4, 3]), (3, 4), {}),
    "a duplicate axis": ("TRANSPOSE", ((2, 2), [0, 0]), (2, 2), {}),
    "an incomplete row": ("FULLY_CONNECTED", ((2, 4), (5, 3)), (2, 5), {}),
    "weights without columns": ("FULLY_CONNECTED", ((2, 4), (5, 0)), (2, 5), {}),
    "a bias of another layer": ("FULLY_CONNECTED", ((2, 3), (5, 3), (4,)), (2, 5), {}),
    "a product without a common axis": (
        "BATCH_MATMUL", ((2, 3), (4, 5)), (2, 5), {"adjX": False, "adjY": False},
    ),
    "a product without options": ("BATCH_MATMUL", ((2, 3), (3, 5)), (2, 5), {}),
    "a stride of 0": ("MAX_POOL_2D", ((1, 8, 9, 4),), (1, 4, 4, 4), {**POOL, "strideW": 0}),
    "channels that do not fill the groups": (
        "CONV_2D", ((1, 8, 9, 3), (6, 3, 3, 2)), (1, 3, 5, 6), CONV,
    ),
    "a filter with two axes": ("CONV_2D", ((1, 8, 9, 3), (6, 3)), (1, 3, 5, 6), CONV),
    "a depthwise filter for another number of channels": (
        "DEPTHWISE_CONV_2D", ((1, 8, 9, 4), (1, 3, 3, 8)), (1, 3, 5, 8),
        {**CONV, "depthMultiplier": 1},
    ),
}  # fmt: skip


def model_of(code: str, inputs: Inputs, output: Shape, options: dict[str, Any]) -> Model:
    """Return a model of one op; lists are constants, tuples are shapes of inputs."""
    model, graph = Model(), Graph("main")
    model.graphs.append(graph)
    tensors: list[Tensor] = [
        graph.constant(np.array(each, np.int32))
        if isinstance(each, list)
        else graph.input("x", each)
        for each in inputs
    ]
    graph.add(Op(code, tensors, (graph.tensor("y", DType.FLOAT32, output),), options=options))
    return model


@pytest.mark.parametrize("case", VALID)
def test_shapes_that_fit_are_accepted(case: str) -> None:
    check_shapes(model_of(*VALID[case]))


@pytest.mark.parametrize("case", VALID)
@pytest.mark.parametrize("axis", [0, -1])
def test_an_output_with_a_smaller_stated_shape_is_rejected(case: str, axis: int) -> None:
    code, inputs, output, options = VALID[case]
    smaller = list(output)
    smaller[axis] -= 1
    with pytest.raises(InvalidModelError, match=rf"{code} .*Use another copy"):
        check_shapes(model_of(code, inputs, tuple(smaller), options))


@pytest.mark.parametrize("case", INVALID)
def test_inputs_that_do_not_fit_are_rejected(case: str) -> None:
    with pytest.raises(InvalidModelError, match=r"do not fit|the file states an output"):
        check_shapes(model_of(*INVALID[case]))


def test_shapes_that_may_vary_are_not_checked() -> None:
    model = model_of("ADD", ((2, 3), (3,)), (5, 3), {})
    (op,) = model.graphs[0].ops
    op.outputs[0].shape_signature = (-1, 3)
    check_shapes(model)
    check_shapes(model_of("ADD", ((2, 3), (3,)), (), {}))
    check_shapes(model_of("CUMSUM", ((2, 3), [0]), (9,), {}))


@pytest.mark.skipif(not MODELS, reason="NO REAL MODEL IS TESTED: there is no shared folder")
def test_the_shapes_of_real_models_are_accepted() -> None:
    for path in MODELS:
        check_shapes(read(path))
