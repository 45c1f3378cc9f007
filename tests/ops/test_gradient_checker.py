"""The gradient checker passes correct gradients and detects planted errors."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from sartor.errors import DataError, GradientError, VerificationError
from sartor.graph import DType, Graph, Op, Tensor
from sartor.ops import ROWS, add, emit, matmul, mul, neg, reduce_sum, relu, softmax, square, tanh
from sartor.testing import GradientCheck, Uniform, check_gradients, run_graph

X = Uniform((3, 4), -2.0, 2.0)


def plant(monkeypatch: pytest.MonkeyPatch, code: str, **changes: Any) -> None:
    monkeypatch.setitem(ROWS, code, replace(ROWS[code], **changes))


def two_layers(x: Tensor, weights: Tensor) -> Tensor:
    return tanh(matmul(relu(x), weights))


def test_a_correct_gradient_passes_with_small_errors() -> None:
    check = check_gradients(two_layers, [X, Uniform((4, 2))])
    assert isinstance(check, GradientCheck)
    assert len(check.runtime) == len(check.rule) == 2
    assert check.value < 2e-6
    assert max(check.runtime) < 5e-6
    assert max(check.rule) < 1e-8


def test_equal_seeds_give_equal_checks() -> None:
    first, second, other = (check_gradients(square, [X], seed=seed) for seed in (1, 1, 2))
    assert first == second != other


@pytest.mark.parametrize("size", [4, 400])
@pytest.mark.parametrize(
    ("error", "rule"),
    [
        ("1 % too large", lambda op, i, g: mul(mul(g, op.output), 1.01)),
        ("of the wrong sign", lambda op, i, g: neg(mul(g, op.output))),
        ("missing a factor", lambda op, i, g: g),
        ("of the wrong tensor", lambda op, i, g: mul(g, op.input(0))),
    ],
)
def test_a_wrong_rule_is_detected(
    monkeypatch: pytest.MonkeyPatch,
    error: str,
    rule: Callable[[Op, int, Tensor], Tensor],
    size: int,
) -> None:
    plant(monkeypatch, "EXP", gradients=(rule,))
    with pytest.raises(VerificationError, match=r"the gradient rules of EXP"):
        check_gradients(lambda x: emit("EXP", x), [Uniform((size,))])


def test_a_missing_term_is_detected(monkeypatch: pytest.MonkeyPatch) -> None:
    plant(monkeypatch, "SOFTMAX", gradients=(lambda op, i, g: mul(g, op.output),))
    with pytest.raises(VerificationError, match=r"the gradient rules of SOFTMAX"):
        check_gradients(softmax, [X])


def test_a_wrong_rule_inside_a_graph_is_detected(monkeypatch: pytest.MonkeyPatch) -> None:
    plant(monkeypatch, "RELU", gradients=(lambda op, i, g: g,))
    message = "the gradient rules of RELU → TRANSPOSE → BATCH_MATMUL → TANH"
    with pytest.raises(VerificationError, match=message):
        check_gradients(two_layers, [X, Uniform((4, 2))])


def test_one_wrong_entry_of_many_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    factors = np.ones((2, 3), np.float32)
    factors[1, 2] = 1.01
    plant(monkeypatch, "NEG", gradients=(lambda op, i, g: neg(mul(g, factors)),))
    message = (
        r"the gradient rules of NEG: the gradient with respect to <FLOAT32 \[2, 3\] 'input 0'> is "
        r"\S+ at entry \(1, 2\), expected \S+: the error is \S+ of the largest value, "
        r"the tolerance 1e-06\.$"
    )
    with pytest.raises(VerificationError, match=message):
        check_gradients(neg, [np.ones((2, 3))])


def test_a_reference_that_differs_from_litert_is_detected(monkeypatch: pytest.MonkeyPatch) -> None:
    plant(monkeypatch, "NEG", reference=lambda xs, _: [-1.01 * xs[0]])
    with pytest.raises(VerificationError) as error_info:
        check_gradients(neg, [X])
    value, gradient = str(error_info.value).splitlines()
    assert value.startswith("LiteRT runs NEG: the output is ")
    assert gradient.startswith("LiteRT runs the gradient of NEG: the gradient with respect to ")


def test_a_reference_of_another_shape_than_litert_is_detected(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    plant(
        monkeypatch, "SUM",
        infer=lambda xs, _: [((3, 1), DType.FLOAT32)],
        reference=lambda xs, _: [np.sum(xs[0], 1, keepdims=True)],
        gradients=(lambda op, i, g: mul(op.input(0), 0.0),),
    )  # fmt: skip
    with pytest.raises(VerificationError, match=r"the output has shape \(3,\), expected \(3, 1\)"):
        check_gradients(lambda x: reduce_sum(x, [1]), [X])


def test_a_row_that_infers_a_wrong_shape_is_detected(monkeypatch: pytest.MonkeyPatch) -> None:
    plant(monkeypatch, "SUM", infer=lambda xs, _: [((4, 3), DType.FLOAT32)])
    message = (
        r"'sum'> of <SUM → sum>: the row infers shape \(4, 3\), its NumPy reference computes \(1, 4"
    )
    with pytest.raises(VerificationError, match=message):
        check_gradients(lambda x: mul(reduce_sum(x, [0], keep_dims=True), 1.0), [Uniform((3, 4))])


def test_all_failures_are_listed(monkeypatch: pytest.MonkeyPatch) -> None:
    plant(monkeypatch, "ADD", gradients=(lambda op, i, g: mul(g, 2.0),))
    with pytest.raises(VerificationError) as error_info:
        check_gradients(add, [X, X])
    assert [line.partition("'input ")[2][0] for line in str(error_info.value).splitlines()] == [
        "0",
        "1",
    ]


def test_integers_and_booleans_are_not_differentiated() -> None:
    condition = np.array([[True], [False], [True]])
    check = check_gradients(lambda c, x: emit("SELECT_V2", c, x, 0.0), [condition, X])
    assert len(check.rule) == 1


def test_an_input_without_influence_has_no_gradient_to_check() -> None:
    with pytest.raises(GradientError, match=r"does not depend on .*'input 1'"):
        check_gradients(lambda x, y: neg(x), [X, X])


def test_run_graph_accepts_another_number_of_rows() -> None:
    graph = Graph()
    x = graph.input("x", (20, 2))
    y = neg(x)
    graph.outputs = [y]
    values = run_graph(graph, {x: np.ones((7, 2), np.float32)})
    assert values[y].tolist() == [[-1.0, -1.0]] * 7


def test_run_graph_requires_a_value_for_each_input() -> None:
    with pytest.raises(DataError, match=r"no value is given for the inputs .*'x'"):
        run_graph(Graph().input("x", (2,)).graph, {})
