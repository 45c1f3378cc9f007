"""Each gradient rule, with random shapes, axes and options."""

from __future__ import annotations

import os

import numpy as np
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, mutually_broadcastable_shapes
from op_cases import ACTIVATIONS, Case, across_bounds, ints, positive, real

from sartor.ops import emit, greater, select
from sartor.ops._activation import Activation
from sartor.testing import Uniform, check_gradients

random_cases = settings(
    deadline=None, derandomize="CI" in os.environ, max_examples=100, database=None
)
SHAPES = array_shapes(min_dims=1, max_dims=4, max_side=4)
SIGNED = ["ADD", "SUB", "MUL", "MAXIMUM", "MINIMUM"]
UNARY = {
    "NEG": real, "SQUARE": real, "SQRT": positive, "RSQRT": positive, "EXP": real,
    "LOG": positive, "RELU": real, "RELU6": across_bounds, "TANH": real, "LOGISTIC": real,
    "SOFTMAX": real, "LOG_SOFTMAX": real, "L2_NORMALIZATION": real,
}  # fmt: skip


def check(case: Case) -> None:
    check_gradients(case.build, case.inputs)


@given(st.sampled_from(sorted(UNARY)), SHAPES)
@random_cases
def test_ops_with_one_input(code: str, shape: tuple[int, ...]) -> None:
    check(Case(code, "", (UNARY[code](*shape),)))


@given(
    st.sampled_from([*SIGNED, "DIV", "POW"]),
    mutually_broadcastable_shapes(num_shapes=2, max_dims=4, max_side=4),
    st.sampled_from([Activation.NONE, *ACTIVATIONS]),
)
@random_cases
def test_ops_that_broadcast_two_inputs(code: str, shapes: object, activation: Activation) -> None:
    x_shape, y_shape = shapes.input_shapes  # type: ignore[attr-defined]
    x = positive(*x_shape) if code == "POW" else Uniform(x_shape, -4.0, 4.0)
    y = real(*y_shape) if code in SIGNED or code == "POW" else positive(*y_shape)
    fused = (
        {"fusedActivationFunction": int(activation)} if code in ("ADD", "SUB", "MUL", "DIV") else {}
    )
    check(Case(code, "", (x, y), fused))


@given(mutually_broadcastable_shapes(num_shapes=3, max_dims=3, max_side=3))
@random_cases
def test_selection_between_two_inputs_by_a_third(shapes: object) -> None:
    inputs = [real(*shape) for shape in shapes.input_shapes]  # type: ignore[attr-defined]
    choose = lambda c, x, y: select(greater(c, 0.25), emit("MUL", x, c), y)  # noqa: E731
    check_gradients(choose, inputs)


@given(st.sampled_from(["SUM", "MEAN"]), SHAPES, st.data())
@random_cases
def test_reductions(code: str, shape: tuple[int, ...], data: st.DataObject) -> None:
    rank = len(shape)
    axes = data.draw(st.lists(st.integers(-rank, rank - 1), max_size=rank))
    check(Case(code, "", (real(*shape), ints(*axes)), {"keepDims": data.draw(st.booleans())}))


@given(
    mutually_broadcastable_shapes(signature="(m,k),(k,n)->(m,n)", max_dims=2, max_side=4),
    st.booleans(),
    st.booleans(),
)
@random_cases
def test_matrix_products(shapes: object, adj_x: bool, adj_y: bool) -> None:
    x, y = shapes.input_shapes  # type: ignore[attr-defined]
    x = (*x[:-2], x[-1], x[-2]) if adj_x else x
    y = (*y[:-2], y[-1], y[-2]) if adj_y else y
    check(Case("BATCH_MATMUL", "", (real(*x), real(*y)), {"adjX": adj_x, "adjY": adj_y}))


@given(
    SHAPES,
    st.integers(1, 4),
    st.booleans(),
    st.booleans(),
    st.sampled_from([Activation.NONE, *ACTIVATIONS]),
)
@random_cases
def test_dense_layers(
    shape: tuple[int, ...], units: int, bias: bool, keep: bool, activation: Activation
) -> None:
    args = (Uniform(shape, -4.0, 4.0), real(units, shape[-1]), real(units) if bias else None)
    options = {"keepNumDims": keep, "fusedActivationFunction": int(activation)}
    check(Case("FULLY_CONNECTED", "", args, options))


@given(SHAPES, st.data())
@random_cases
def test_concatenated_inputs(shape: tuple[int, ...], data: st.DataObject) -> None:
    rank = len(shape)
    axis = data.draw(st.integers(-rank, rank - 1))
    sizes = data.draw(st.lists(st.integers(1, 3), min_size=1, max_size=4))
    parts = [[*shape] for _ in sizes]
    for part, size in zip(parts, sizes, strict=True):
        part[axis] = size
    check(Case("CONCATENATION", "", tuple(real(*part) for part in parts), {"axis": axis}))


@given(st.sampled_from(["SLICE", "STRIDED_SLICE"]), SHAPES, st.data())
@random_cases
def test_boxes(code: str, shape: tuple[int, ...], data: st.DataObject) -> None:
    begin = [data.draw(st.integers(0, n - 1)) for n in shape]
    end = [data.draw(st.integers(first + 1, n)) for first, n in zip(begin, shape, strict=True)]
    if code == "SLICE":
        sizes = [stop - start for start, stop in zip(begin, end, strict=True)]
        size = [each if data.draw(st.booleans()) else -1 for each in sizes]
        check(Case(code, "", (real(*shape), ints(*begin), ints(*size))))
        return
    masks = st.integers(0, 2 ** len(shape) - 1)
    options = {"beginMask": data.draw(masks), "endMask": data.draw(masks)}
    args = (real(*shape), ints(*begin), ints(*end), np.ones(len(shape), np.int32))
    check(Case(code, "", args, options))


@given(SHAPES, st.data())
@random_cases
def test_paddings(shape: tuple[int, ...], data: st.DataObject) -> None:
    padding = [[data.draw(st.integers(0, 2)), data.draw(st.integers(0, 2))] for _ in shape]
    check(Case("PAD", "", (real(*shape), ints(*padding))))


@given(SHAPES, st.data())
@random_cases
def test_permutations_and_new_shapes(shape: tuple[int, ...], data: st.DataObject) -> None:
    permutation = data.draw(st.permutations(range(len(shape))))
    check(Case("TRANSPOSE", "", (real(*shape), ints(*permutation))))
    check(Case("RESHAPE", "", (real(*shape), ints(*[shape[i] for i in permutation]))))
    check(Case("RESHAPE", "", (real(*shape), ints(shape[0], -1))))


@given(SHAPES, st.lists(st.integers(1, 3), max_size=2), st.booleans(), st.data())
@random_cases
def test_lookups_along_an_axis(
    shape: tuple[int, ...], places: list[int], constant: bool, data: st.DataObject
) -> None:
    axis = data.draw(st.integers(0, len(shape) - 1))
    shared = data.draw(st.integers(0, axis))
    size = (*shape[:shared], *places)
    chosen = st.lists(
        st.integers(0, shape[axis] - 1), min_size=int(np.prod(size)), max_size=int(np.prod(size))
    )
    indices = np.array(data.draw(chosen), np.int32).reshape(size)
    options = {"axis": axis, "batchDims": shared}
    if constant:
        check(Case("GATHER", "", (real(*shape), indices), options))
    else:
        lookup = lambda x, i: emit("GATHER", x, i, axis=axis, batchDims=shared)  # noqa: E731
        check_gradients(lookup, [real(*shape), indices])


@given(SHAPES, st.integers(1, 4), st.data())
@random_cases
def test_lookups_of_points(shape: tuple[int, ...], count: int, data: st.DataObject) -> None:
    axes = data.draw(st.integers(1, len(shape)))
    point = st.tuples(*(st.integers(0, n - 1) for n in shape[:axes]))
    points = ints(*data.draw(st.lists(point, min_size=count, max_size=count)))
    check_gradients(lambda x, i: emit("GATHER_ND", x, i), [real(*shape), points])
    scatter = lambda i, x: emit("SCATTER_ND", i, x, ints(*shape))  # noqa: E731
    check_gradients(scatter, [points, real(count, *shape[axes:])])


@given(st.lists(st.integers(1, 3), min_size=1, max_size=2), st.integers(1, 4), st.data())
@random_cases
def test_values_of_one_hot_vectors(shape: list[int], depth: int, data: st.DataObject) -> None:
    """Few elements: their sum is the gradient, and terms of a long sum may cancel in float32."""
    options = {"axis": data.draw(st.integers(-1, len(shape)))}
    indices = (np.arange(np.prod(shape)) % (depth + 1)).astype(np.int32).reshape(shape)
    arguments = (indices, np.array(depth, np.int32), real(), real())
    check(Case("ONE_HOT", "", arguments, options))


@given(
    st.lists(st.tuples(*[st.integers(1, 3)] * 2, *[st.integers(0, 2)] * 2), min_size=1, max_size=2)
)
@random_cases
def test_blocks_of_space_and_batch(axes: list[tuple[int, int, int, int]]) -> None:
    blocks, counts = (ints(*(each[i] for each in axes)) for i in (0, 1))
    margins = ints(*(each[2:] for each in axes))
    sizes = blocks * counts - margins.sum(1)
    assume((sizes > 0).all())
    check(Case("SPACE_TO_BATCH_ND", "", (real(2, *sizes, 2), blocks, margins)))
    merged = (real(2 * int(blocks.prod()), *counts, 2), blocks, margins)
    check(Case("BATCH_TO_SPACE_ND", "", merged))
