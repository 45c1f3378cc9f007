"""The vectors of the recipe, by the runtime and by the implementation in plain NumPy."""

from __future__ import annotations

import pytest
from make_recipe import models, open_litert
from recipe_cases import inputs_of
from recipe_player import player
from recipe_vectors import FILES, FOLDER, Case, difference, load, to_plain
from runtime_player import PLAYERS

CASES = [case for name in FILES for case in load(name)]
PLAIN = player(open_litert)
each_case = pytest.mark.parametrize(
    "case", CASES, ids=[f"{case.rule}-{case.about}" for case in CASES]
)


@each_case
def test_the_runtime_returns_the_outputs_of_a_case(case: Case) -> None:
    outputs = to_plain(PLAYERS[case.rule](case.inputs))
    assert difference(outputs, case.outputs) <= case.tolerance


@each_case
def test_the_second_implementation_returns_the_outputs_of_a_case(case: Case) -> None:
    outputs = to_plain(PLAIN[case.rule](case.inputs))
    outputs.pop("notes", None)
    assert difference(outputs, case.outputs) <= case.tolerance


def test_the_committed_files_are_up_to_date() -> None:
    inputs = [
        (rule, about, to_plain(x)) for rule, cases in inputs_of().items() for about, x in cases
    ]
    committed = [(case.rule, case.about, case.inputs) for case in CASES]
    order = [rule for rules in FILES.values() for rule in rules]
    assert sorted(inputs, key=lambda each: order.index(each[0])) == committed
    for name, content in models().items():
        assert (FOLDER / name).read_bytes() == content, "run `python contract/make_recipe.py`"


def test_every_rule_has_cases() -> None:
    rules = {case.rule for case in CASES}
    assert rules == set(PLAYERS) == set(PLAIN) == {r for rules in FILES.values() for r in rules}


@pytest.mark.parametrize(
    ("value", "expected"),
    [({"a": 1.0}, {"b": 1.0}), ([1.0], [1.0, 2.0]), (True, False), (None, 1.0), (1.0, None),
     (float("nan"), 1.0)],
)  # fmt: skip
def test_a_wrong_kind_of_value_is_detected(value: object, expected: object) -> None:
    with pytest.raises(AssertionError):
        difference(value, expected)


def test_a_difference_is_absolute_below_1_and_relative_above() -> None:
    assert difference({"x": [0.5, 200.0]}, {"x": [0.25, 100]}) == 1
    assert difference([0.5], [0.25]) == 0.25
    assert difference({"pixels": [101]}, {"pixels": [100]}) == 0
    assert difference({"pixels": [102]}, {"pixels": [100]}) == 1
