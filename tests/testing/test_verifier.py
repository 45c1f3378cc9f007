"""The verifier passes correct files and detects planted defects of signatures."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from defects import (
    Edit,
    add_assignment,
    change_assignment,
    change_input,
    change_output,
    change_variable,
    edit_graphs,
    skip_assignment,
)
from verifier_helpers import (
    BAKED,
    CLEARS,
    FIRST,
    IMPRINTS,
    INFER,
    MASK,
    NO_GRADIENT,
    RESTORE,
    SIZE,
    STATISTICS,
    VELOCITY,
    B,
    T,
    W,
    failures,
)

import sartor
from sartor import PersonalizableModel
from sartor.graph import Tensor
from sartor.ops import add, div, maximum, mul, square, sub
from sartor.optimizers import SGD, Adam
from sartor.testing.verify import verify_contract


def test_a_correct_file_passes_with_any_seed(conversion: PersonalizableModel) -> None:
    for seed in range(20):
        report = verify_contract(conversion.content, seed=seed)
        assert report.passed, (seed, report.failures)


@pytest.mark.parametrize("optimizer", [SGD(), SGD(clip_norm=0.01), Adam(), Adam(clip_norm=0.01)])
def test_a_rewritten_file_passes(tiny_base: bytes, optimizer: SGD | Adam) -> None:
    original = sartor.convert(tiny_base, classes=4, batch_size=5, optimizer=optimizer)
    assert failures(edit_graphs(original, lambda model: None)) == {}


def scaled(factor: float) -> Callable[[Tensor, Tensor], Tensor]:
    """Return a change that scales a step by a factor."""
    return lambda new, old: add(old, mul(sub(new, old), factor))


def ones(x: Tensor) -> Tensor:
    """Return ones that depend on `x`."""
    return add(mul(x, 0.0), 1.0)


DEFECTS: dict[str, tuple[Edit, set[str]]] = {
    "a gradient too steep by 2 %": (
        change_assignment("train", W, scaled(1.02)),
        {"gradient of head/weights"},
    ),
    "a gradient too flat by 2 %": (
        change_assignment("train", B, scaled(0.98)),
        {"gradient of head/bias"},
    ),
    "a gradient of the wrong sign": (
        change_assignment("train", B, scaled(-1)),
        {"gradient of head/bias"},
    ),
    "a parameter that is not trained": (skip_assignment("train", B), {"gradient of head/bias"}),
    "a step with learning rate 0": (
        change_assignment("train", W, lambda new, old: add(new, 0.1)),
        {
            "learning rate 0 changes no parameter",
            "gradient of head/weights",
            NO_GRADIENT,
        },
    ),
    "training on masked classes": (change_variable("train", MASK, ones), {NO_GRADIENT}),
    "evaluation of masked classes": (
        change_variable("evaluate", MASK, ones),
        {
            "a masked class has output 0",
            "if all classes are masked, the output is 0",
            INFER,
        },
    ),
    "inference with masked classes": (change_variable("infer", MASK, ones), {INFER}),
    "another loss in training": (
        change_output("train", "loss", lambda x: mul(x, 1.01)),
        {"train and evaluate return the same loss"},
    ),
    "another output in training": (
        change_output("train", "output", lambda x: mul(x, 1.01)),
        {"train returns the output before the step"},
    ),
    "no temperature in evaluation": (
        change_variable("evaluate", T, ones),
        {"the temperature divides the logits", INFER},
    ),
    "no temperature in inference": (change_variable("infer", T, ones), {INFER}),
    "the square of the temperature": (
        change_variable("evaluate", T, square),
        {"the temperature divides the logits", INFER},
    ),
    "training that changes the temperature": (
        add_assignment("train", T, lambda old: mul(old, 1.1)),
        {
            "learning rate 0 changes no parameter",
            "a step changes no untrained variable",
        },
    ),
    "training that changes the mask": (
        add_assignment("train", MASK, lambda old: mul(old, 0.5)),
        {
            "learning rate 0 changes no parameter",
            "a step changes no untrained variable",
        },
    ),
    "evaluation that changes a variable": (
        add_assignment("evaluate", "head/gain", lambda old: add(old, 1.0)),
        {"evaluate changes no variable", "learning rate 0 changes no parameter"},
    ),
    "inference that changes a variable": (
        add_assignment("infer", B, lambda old: add(old, 1.0)),
        {"infer changes no variable"},
    ),
    "features that do not belong to the output": (
        change_output("infer", "features", lambda x: mul(x, 1.1)),
        {INFER},
    ),
    "outputs that are not finite": (
        change_output("infer", "output", lambda x: div(x, mul(x, 0.0))),
        {"LiteRT runs the file"},
    ),
    "a class with old optimizer state": (
        skip_assignment("set_class", VELOCITY),
        {IMPRINTS, CLEARS, NO_GRADIENT},
    ),
    "a class with old weights": (
        skip_assignment("set_class", W),
        {CLEARS, NO_GRADIENT, FIRST},
    ),
    "a mask that is not set": (
        skip_assignment("set_class", MASK),
        {CLEARS, NO_GRADIENT, "a masked class has output 0", FIRST},
    ),
    "a change outside the class": (
        change_assignment("set_class", VELOCITY, lambda new, old: add(new, 0.1)),
        {IMPRINTS, CLEARS, NO_GRADIENT, STATISTICS},
    ),
    "statistics that are not updated": (skip_assignment("set_class", "head/scale"), {SIZE}),
    "a center that ignores the rows": (
        change_assignment("set_class", "head/center", lambda new, old: add(mul(new, 0.0), 1.0)),
        {SIZE},
    ),
    "a class imprinted from rows with weight 0": (
        change_input("set_class", "sample_weights", lambda x: maximum(x, 1.0)),
        {"imprinting ignores rows with weight 0", "statistics ignore rows with weight 0"},
    ),
    "a class that is never cleared": (
        change_input("set_class", "active", ones),
        {CLEARS, NO_GRADIENT, "a masked class has output 0"},
    ),
    "a variable that restore does not set": (
        change_assignment("restore", VELOCITY, lambda new, old: add(mul(new, 0.0), old)),
        {RESTORE},
    ),
    "a variable that restore halves": (
        change_assignment("restore", "head/gain", lambda new, old: add(mul(new, 0.5), 0.125)),
        {RESTORE},
    ),
    "a variable with another initial value": (
        skip_assignment("initialize", T),
        {"initialize resets all variables", BAKED},
    ),
    "a variable that save changes": (
        change_output("save", B, lambda x: mul(x, 1.001)),
        {RESTORE, BAKED},
    ),
}


@pytest.mark.parametrize("name", DEFECTS)
def test_each_defect_fails_its_checks(name: str, conversion: PersonalizableModel) -> None:
    edit, expected = DEFECTS[name]
    details = failures(edit_graphs(conversion, edit))
    assert set(details) == expected, details
