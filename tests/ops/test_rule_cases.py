"""Each gradient rule, over the table of cases."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from image_cases import IMAGE_CASES
from op_cases import ACTIVATIONS, Case, rules
from op_cases import CASES as OTHER_CASES
from shape_cases import SHAPE_CASES

from sartor.autodiff import gradients
from sartor.errors import VerificationError
from sartor.graph import Graph, Op, Tensor
from sartor.ops import ROWS, GradientSupport, Rule, evaluate, mul, neg
from sartor.testing import Uniform, check_gradients, run_graph

CASES = [*OTHER_CASES, *SHAPE_CASES, *IMAGE_CASES]
BATCHED = [case for case in CASES if case.rows]


def name(case: Case) -> str:
    return str(case)


@pytest.mark.parametrize("case", CASES, ids=name)
def test_a_rule_agrees_with_finite_differences_and_with_the_runtime(case: Case) -> None:
    check_gradients(case.build, case.inputs)


def test_every_rule_has_a_case() -> None:
    covered = {
        (case.code, min(index, len(ROWS[case.code].gradients) - 1))
        for case in CASES
        for index, arg in enumerate(case.args)
        if isinstance(arg, Uniform)
    }
    assert not set(rules()) - covered


def test_every_fused_activation_has_a_case() -> None:
    covered = {
        (case.code, case.options["fusedActivationFunction"])
        for case in CASES
        if "fusedActivationFunction" in case.options
    }
    assert covered == {(row.code, kind) for row in ROWS.values() if row.activation and row.reference
                    for kind in ACTIVATIONS}  # fmt: skip


@pytest.mark.parametrize("case", BATCHED, ids=name)
def test_a_gradient_built_for_20_rows_runs_on_7(case: Case) -> None:
    graph, inputs, _, seed = build_graph(case.with_rows(20))
    seven, seven_inputs, seven_output, seven_seed = build_graph(case.with_rows(7))
    random = np.random.default_rng(7)
    values = [
        random.uniform(x.low, x.high, x.shape).astype(np.float32) for x in case.with_rows(7).inputs
    ]
    values.append(random.standard_normal(seven_output.shape).astype(np.float32))
    expected = evaluate(seven, dict(zip([*seven_inputs, seven_seed], values, strict=True)))
    actual = run_graph(graph, dict(zip([*inputs, seed], values, strict=True)))
    for output, expected_output in zip(graph.outputs, seven.outputs, strict=True):
        np.testing.assert_allclose(actual[output], expected[expected_output], rtol=1e-4, atol=1e-5)


def build_graph(case: Case) -> tuple[Graph, list[Tensor], Tensor, Tensor]:
    graph = Graph(str(case))
    inputs = [graph.input(f"x{i}", x.shape) for i, x in enumerate(case.inputs)]
    output = case.build(*inputs)
    seed = graph.input("seed", output.shape)
    graph.outputs = [output, *gradients(output, inputs, seed=seed)]
    return graph, inputs, output, seed


@pytest.mark.parametrize("error", ["1 % too large", "of the wrong sign"])
@pytest.mark.parametrize(("code", "index"), rules())
def test_a_wrong_rule_fails_its_cases(
    monkeypatch: pytest.MonkeyPatch, code: str, index: int, error: str
) -> None:
    row = ROWS[code]
    gradient = row.gradients[index]
    assert not isinstance(gradient, GradientSupport)
    rule: Rule = gradient

    def wrong_rule(op: Op, index: int, g: Tensor) -> Tensor:
        return neg(rule(op, index, g)) if "sign" in error else mul(rule(op, index, g), 1.01)

    gradients = (*row.gradients[:index], wrong_rule, *row.gradients[index + 1 :])
    monkeypatch.setitem(ROWS, code, replace(row, gradients=gradients))
    case = next(c for c in CASES if c.code == code and isinstance(c.args[index], Uniform))
    with pytest.raises(VerificationError, match=f"the gradient rules of {code}.*: .* expected"):
        check_gradients(case.build, case.inputs)


SWAPS = {"ADD": "SUB", "MUL": "DIV", "MAXIMUM": "MINIMUM"}
SWAPS |= {new: old for old, new in SWAPS.items()}


def test_every_op_of_a_rule_affects_a_case() -> None:
    """Change each emitted op in turn: its value by 1 %, or the op to its inverse."""
    undetected: dict[tuple[str, str, str], bool] = {}
    for case in CASES:
        graph, inputs, output, seed = build_graph(case)
        random = np.random.default_rng(0)
        feeds = {x: random.uniform(uniform.low, uniform.high, uniform.shape)
                 for x, uniform in zip(inputs, case.inputs, strict=True)}  # fmt: skip
        feeds[seed] = random.standard_normal(output.shape)
        expected = evaluate(graph, feeds)
        assert output.producer is not None
        for op in graph.ops[graph.ops.index(output.producer) + 1 :]:
            if not op.output.dtype.is_float:
                continue
            changed_feeds = {**feeds, op.output: expected[op.output] * 1.01 + 0.01}
            changes = {"1 %": evaluate(graph, changed_feeds)}
            if op.code in SWAPS:
                changes["inverse"] = _swapped(op, feeds)
            for change, values in changes.items():
                is_equal = all(np.allclose(values[x], expected[x], 1e-6, 0) for x in graph.outputs)
                key = case.code, op.code, change
                undetected[key] = undetected.get(key, True) and is_equal
    survivors = {key for key, is_equal in undetected.items() if is_equal}
    assert survivors == {
        ("MEAN", "STRIDED_SLICE", "1 %"),  # the rule uses only its shape
        ("REDUCE_MAX", "DIV", "inverse"),  # by 1: no two elements of a case are equal
        ("REDUCE_MIN", "DIV", "inverse"),
    }


def _swapped(op: Op, feeds: dict[Tensor, np.ndarray]) -> dict[Tensor, np.ndarray]:
    op.code = SWAPS[op.code]
    with np.errstate(all="ignore"):
        values = evaluate(op.output.graph, feeds)
    op.code = SWAPS[op.code]
    return values
