"""The verifier detects defects of training with dropout."""

from __future__ import annotations

import numpy as np
import pytest
from defects import Edit, change_assignment, change_variable, edit_graphs, skip_assignment

import sartor
from sartor import PersonalizableModel
from sartor.contract.names import RANDOM_STATE
from sartor.graph import DType, Model, Op, Tensor
from sartor.heads import MLP
from sartor.ops import add, mul, reduce_sum, sub
from sartor.testing.verify import verify_contract

DIFFERENT = "dropout differs between steps"
DECIDED = "dropout depends on saved variables only"
SHORT = "dropout ignores rows with weight 0"
W = "head/weights"


@pytest.fixture(scope="module")
def conversion(tiny_base: bytes) -> PersonalizableModel:
    return sartor.convert(tiny_base, classes=4, batch_size=6, head=MLP(hidden=(8,), dropout=0.4))


def use_rows(model: Model) -> None:
    """Make dropout depend on the samples."""
    rows = train_inputs(model)["features"]
    change_variable("train", RANDOM_STATE, lambda state: add(state, reduce_sum(rows, [0, 1])))(
        model
    )


def unsaved_stream(model: Model) -> None:
    """Make dropout depend on a random stream that is not saved."""

    def shifted(state: Tensor) -> Tensor:
        graph = state.graph
        noise = graph.tensor("noise", DType.FLOAT32, (3,))
        shape = graph.constant(np.array([3], np.int32))
        seeds = {"seed": 1, "seed2": 2}
        graph.add(
            Op("RANDOM_UNIFORM", [shape], [noise], options=seeds, options_type="RandomOptions")
        )
        return add(state, mul(noise, 500.0))

    change_variable("train", RANDOM_STATE, shifted)(model)


def train_inputs(model: Model) -> dict[str, Tensor]:
    train = model.signature("train")
    assert train is not None
    return train.inputs


DEFECTS: dict[str, tuple[Edit, set[str]]] = {
    "the same units in every step": (skip_assignment("train", RANDOM_STATE), {DIFFERENT}),
    "no dropout": (
        change_variable("train", RANDOM_STATE, lambda state: mul(state, 0.0)), {DIFFERENT},
    ),
    "units that depend on the samples": (use_rows, {SHORT}),
    "units that depend on unsaved state": (
        unsaved_stream, {DECIDED, SHORT, "gradient of head/weights"},
    ),
    "a gradient of the wrong size": (
        change_assignment("train", W, lambda new, old: add(old, mul(sub(new, old), 1.05))),
        {"gradient of head/weights"},
    ),
}  # fmt: skip


def test_a_correct_file_passes_with_any_seed(conversion: PersonalizableModel) -> None:
    for seed in range(10):
        report = verify_contract(conversion.content, seed=seed)
        assert report.passed, (seed, report.failures)


@pytest.mark.parametrize("name", DEFECTS)
def test_each_defect_fails_its_checks(conversion: PersonalizableModel, name: str) -> None:
    edit, expected = DEFECTS[name]
    failures = {check.name for check in verify_contract(edit_graphs(conversion, edit)).failures}
    assert expected <= failures
    assert name == "units that depend on unsaved state" or failures == expected
