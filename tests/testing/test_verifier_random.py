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
def made(tiny_base: bytes) -> PersonalizableModel:
    return sartor.convert(tiny_base, classes=4, batch_size=6, head=MLP(hidden=(8,), dropout=0.4))


def rows_matter(model: Model) -> None:
    """Dropout depends on the samples."""
    rows = ends(model)["features"]
    change_variable("train", RANDOM_STATE, lambda state: add(state, reduce_sum(rows, [0, 1])))(
        model
    )


def chance(model: Model) -> None:
    """Dropout depends on a random stream that is not saved."""

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


def ends(model: Model) -> dict[str, Tensor]:
    train = model.signature("train")
    assert train is not None
    return train.inputs


DEFECTS: dict[str, tuple[Edit, set[str]]] = {
    "the same units in every step": (skip_assignment("train", RANDOM_STATE), {DIFFERENT}),
    "nothing is dropped": (
        change_variable("train", RANDOM_STATE, lambda state: mul(state, 0.0)), {DIFFERENT},
    ),
    "units that hang on the samples": (rows_matter, {SHORT}),
    "units that hang on chance": (chance, {DECIDED, SHORT, "gradient of head/weights"}),
    "a gradient of the wrong size": (
        change_assignment("train", W, lambda new, old: add(old, mul(sub(new, old), 1.05))),
        {"gradient of head/weights"},
    ),
}  # fmt: skip


def test_a_correct_file_passes_with_any_seed(made: PersonalizableModel) -> None:
    for seed in range(10):
        report = verify_contract(made.content, seed=seed)
        assert report.passed, (seed, report.failures)


@pytest.mark.parametrize("name", DEFECTS)
def test_each_defect_fails_its_checks(made: PersonalizableModel, name: str) -> None:
    edit, wanted = DEFECTS[name]
    failures = {check.name for check in verify_contract(edit_graphs(made, edit)).failures}
    assert wanted <= failures
    assert name == "units that hang on chance" or failures == wanted
