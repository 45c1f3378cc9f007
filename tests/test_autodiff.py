"""Reverse mode: sums, omitted gradients and errors. The rules have their own tests."""

from __future__ import annotations

import re

import numpy as np
import pytest

from sartor.autodiff import gradients
from sartor.errors import GradientError
from sartor.graph import DType, Graph, Op, Tensor
from sartor.ops import (
    add,
    concatenation,
    emit,
    emit_many,
    evaluate,
    exp,
    greater,
    matmul,
    mul,
    neg,
    reduce_sum,
    relu,
    select,
    square,
    sub,
    tanh,
    zeros_like,
)
from sartor.testing import Uniform, check_gradients

X = Uniform((3, 4), -2.0, 2.0)
SQUARE = Uniform((3, 3), -1.0, 1.0)


def total(x: Tensor) -> Tensor:
    return reduce_sum(x, range(x.rank))


def codes(graph: Graph, after: int = 0) -> list[str]:
    return [op.code for op in graph.ops[after:]]


def gradient_at(x: Tensor, gradient: Tensor, value: float) -> list[float]:
    values = evaluate(x.graph, {x: np.full(x.shape, value)})[gradient]
    return [float(number) for number in np.ravel(values)]


def test_a_residual_block_sums_both_paths_to_its_input() -> None:
    def block(x: Tensor, weights: Tensor) -> Tensor:
        return relu(add(x, tanh(matmul(x, weights))))

    check_gradients(lambda x, w: block(block(x, w), w), [X, Uniform((4, 4))])


def test_a_diamond_sums_both_sides() -> None:
    def diamond(x: Tensor) -> Tensor:
        middle = tanh(x)
        return mul(exp(middle), add(square(middle), middle))

    check_gradients(diamond, [X])


@pytest.mark.parametrize(
    "build",
    [
        lambda x: mul(x, x),
        lambda x: sub(x, x),
        lambda x: matmul(x, x),
        lambda x: matmul(x, x, adj_y=True),
        lambda x: concatenation([x, x, x], 1),
        lambda x: select(greater(x, 0.1), x, mul(x, 2.0)),
    ],
    ids=["x*x", "x-x", "x@x", "x@xT", "x|x|x", "x or 2x"],
)
def test_a_tensor_that_one_op_uses_twice_gets_both_gradients(build: object) -> None:
    assert callable(build)
    check_gradients(build, [SQUARE])


def test_the_gradients_of_three_consumers_are_summed_once() -> None:
    x = Graph().input("x", (1,))
    y = add(add(neg(x), square(x)), exp(x))
    before = len(x.graph.ops)
    (gradient,) = gradients(y, [x])
    assert codes(x.graph, before).count("ADD") == 2
    assert gradient_at(x, gradient, 0.0) == [0.0]


def test_constants_get_no_gradient_ops() -> None:
    x = Graph().input("x", (2, 2))
    y = mul(x, np.array([1, 2], np.float32))
    before = len(x.graph.ops)
    gradients(total(y), [x])
    assert codes(x.graph, before) == ["SUM", "ZEROS_LIKE", "ADD", "MUL"]


def test_a_constant_can_be_a_source() -> None:
    graph = Graph()
    x = graph.input("x", (2,))
    weights = graph.constant(np.array([3, 4], np.float32))
    (gradient,) = gradients(total(mul(x, weights)), [weights])
    values = evaluate(graph, {x: np.array([5.0, 6.0])})
    assert values[gradient].tolist() == [5, 6]


def test_inputs_other_than_the_sources_get_no_gradient_ops() -> None:
    graph = Graph()
    x, weights = graph.input("x", (3, 4)), graph.input("weights", (4, 2))
    seed = graph.input("seed", (3, 2))
    y = matmul(relu(x), weights)
    before = len(graph.ops)
    gradients(y, [weights], seed=seed)
    assert codes(graph, before) == [*["TRANSPOSE"] * 2, "BATCH_MATMUL", "TRANSPOSE"]


def test_a_source_that_is_the_target_gets_the_seed() -> None:
    graph = Graph()
    x, seed = graph.input("x", (2,)), graph.input("seed", (2,))
    assert gradients(x, [x], seed=seed) == [seed]
    assert not graph.ops


def test_a_scalar_target_starts_from_one() -> None:
    x = Graph().input("x", (1, 1))
    (gradient,) = gradients(x, [x])
    assert gradient.value.tolist() == [[1]]


def test_a_source_between_another_source_and_the_target_gets_its_own_gradient() -> None:
    x = Graph().input("x", (1,))
    middle = square(x)
    dx, dmiddle = gradients(mul(middle, 3.0), [x, middle])
    assert gradient_at(x, dmiddle, 5.0) == [3]
    assert gradient_at(x, dx, 5.0) == [30]


def test_a_duplicate_source_gets_its_gradient_twice() -> None:
    x = Graph().input("x", (1,))
    first, second = gradients(neg(x), [x, x])
    assert first is second


def test_the_producer_of_a_source_needs_no_rule() -> None:
    graph = Graph()
    x = graph.input("x", (2, 4))
    halves = [graph.tensor(f"half {i}", DType.FLOAT32, (2, 2)) for i in range(2)]
    graph.add(Op("SPLIT", [graph.constant(np.array(1, np.int32)), x], halves))
    seed = graph.input("seed", (2, 2))
    (gradient,) = gradients(neg(halves[0]), [halves[0]], seed=seed)
    assert gradient.producer is not None
    assert codes(graph) == ["SPLIT", "NEG", "NEG"]


def test_ops_after_the_target_do_not_matter() -> None:
    x = Graph().input("x", (1,))
    y = neg(x)
    emit("GREATER", exp(y), y)
    (gradient,) = gradients(y, [x])
    assert gradient_at(x, gradient, 2.0) == [-1]


def test_a_path_with_zero_gradient_adds_nothing() -> None:
    check_gradients(lambda x: add(select(greater(x, 0.3), x, 1.0), mul(zeros_like(x), x)), [X])


def test_a_source_with_zero_gradient_only_is_refused() -> None:
    x = Graph().input("x", (1,))
    message = "the gradient of <FLOAT32 [1] 'x'> is zero everywhere: it cannot be trained."
    with pytest.raises(GradientError, match=re.escape(message)):
        gradients(neg(zeros_like(x)), [x])


def test_integers_end_a_path() -> None:
    graph = Graph()
    x = graph.input("x", (2,))
    rounded = graph.tensor("rounded", DType.INT32, (2,))
    graph.add(Op("CAST", [x], [rounded]))
    back = graph.tensor("back", DType.FLOAT32, (2,))
    graph.add(Op("CAST", [rounded], [back]))
    (gradient,) = gradients(total(mul(x, back)), [x])
    assert gradient.shape == (2,)
    with pytest.raises(GradientError, match="is zero everywhere"):
        gradients(total(back), [x])


def test_a_source_without_a_path_to_the_target_is_refused() -> None:
    graph = Graph()
    x, other = graph.input("x", (1,)), graph.input("other", (1,))
    exp(other)
    message = (
        "<FLOAT32 [1] 'neg'> does not depend on <FLOAT32 [1] 'other'>, so it has no gradient. "
        "Leave it out."
    )
    with pytest.raises(GradientError, match=re.escape(message)):
        gradients(neg(x), [x, other])


@pytest.mark.parametrize(
    ("shape", "dtype"), [((2,), DType.FLOAT32), ((1,), DType.FLOAT16)], ids=["vector", "float16"]
)
def test_a_target_that_is_not_a_float32_scalar_needs_a_seed(
    shape: tuple[int, ...], dtype: DType
) -> None:
    x = Graph().input("x", shape, dtype)
    message = "is not a float32 scalar. Sum it, or give its gradient (`seed`)."
    with pytest.raises(GradientError, match=re.escape(message)):
        gradients(neg(x), [x])


def test_a_seed_of_another_shape_than_the_target_is_refused() -> None:
    graph = Graph()
    x, seed = graph.input("x", (2, 3)), graph.input("seed", (3,))
    message = (
        "the seed <FLOAT32 [3] 'seed'> does not have the shape of the target <FLOAT32 [2, 3] 'neg'>"
    )
    with pytest.raises(GradientError, match=re.escape(message)):
        gradients(neg(x), [x], seed=seed)


def thirds(x: Tensor) -> tuple[Tensor, ...]:
    return emit_many("SPLIT", [np.array(1, np.int32), x], numSplits=3)


def test_an_op_with_several_outputs_joins_their_gradients() -> None:
    def branches(x: Tensor) -> Tensor:
        first, second, third = thirds(x)
        return add(mul(first, tanh(third)), square(second))

    check_gradients(branches, [Uniform((3, 6))])


def test_an_output_that_is_used_twice_gets_both_gradients() -> None:
    def branches(x: Tensor) -> Tensor:
        first, _, third = thirds(x)
        return concatenation([third, mul(first, first), third], 1)

    check_gradients(branches, [Uniform((3, 6))])


def test_an_output_without_a_path_to_the_target_has_a_zero_gradient() -> None:
    x = Graph().input("x", (1, 3))
    first, second, _ = thirds(x)
    exp(second)
    (gradient,) = gradients(first, [x])
    assert gradient_at(x, gradient, 2.0) == [1, 0, 0]


def test_an_op_with_several_outputs_needs_a_rule() -> None:
    graph = Graph()
    x = graph.input("x", (1, 2))
    values = [graph.tensor(name, DType.FLOAT32, (1, 1)) for name in ("values", "indices")]
    graph.add(Op("TOPK_V2", [x, graph.constant(np.array(1, np.int32))], values))
    with pytest.raises(GradientError, match=r"gradient of <TOPK_V2 → values, indices> .* not yet"):
        gradients(values[0], [x])


def test_an_op_without_a_rule_is_refused_only_on_the_path() -> None:
    graph = Graph()
    x, weights = graph.input("x", (1,)), graph.input("weights", (1,))
    features = graph.tensor("features", DType.FLOAT32, (1,))
    graph.add(Op("SIN", [x], [features]))
    loss = mul(features, weights)
    assert len(gradients(loss, [weights])) == 1
    with pytest.raises(GradientError, match=r"gradient of <SIN → features> .* is not yet"):
        gradients(loss, [x])


def test_a_chain_of_two_thousand_ops_is_differentiated() -> None:
    x = Graph().input("x", (1,))
    y = x
    for _ in range(2000):
        y = mul(y, 1.001)
    (gradient,) = gradients(y, [x])
    assert gradient_at(x, gradient, 1.0) == pytest.approx([1.001**2000], rel=1e-4)


def test_a_gradient_can_be_differentiated_again() -> None:
    def slope(x: Tensor) -> Tensor:
        (gradient,) = gradients(total(mul(square(x), tanh(x))), [x])
        return gradient

    check_gradients(slope, [X])
