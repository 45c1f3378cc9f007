"""Models that contradict themselves are not written."""

from __future__ import annotations

from collections.abc import Callable

import flatbuffer_samples as samples
import pytest

from sartor.errors import InvalidModelError
from sartor.flatbuffer import write
from sartor.graph import Model


def _drop_tensor(model: Model) -> None:
    model.main.tensors.pop(0)


def _swap_ops(model: Model) -> None:
    model.main.ops.reverse()


def _forget_options_type(model: Model) -> None:
    model.main.ops[0].options = {"fusedActivationFunction": 1}
    model.main.ops[0].options_type = None


def _misspell_option(model: Model) -> None:
    model.main.ops[0].options = {"fused_activation_function": 1}


def _misname_options(model: Model) -> None:
    model.main.ops[0].options_type = "AdditionOptions"


def _misname_op(model: Model) -> None:
    model.main.ops[0].code = "ADDITION"


def _overflow_option(model: Model) -> None:
    model.main.ops[0].options = {"fusedActivationFunction": 1000}


def _foreign_graph(model: Model) -> None:
    model.signatures[0].graph = samples.sums().main


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (_drop_tensor, "not among its graph's tensors"),
        (_swap_ops, "before it has a value"),
        (_forget_options_type, "no options_type"),
        (_misspell_option, "expected those of AddOptions: fusedActivationFunction"),
        (_misname_options, "has options of type AdditionOptions, expected AddOptions"),
        (_misname_op, "does not have the op 'ADDITION'"),
        (_overflow_option, "has the fused activation 1000, expected a number below 6"),
        (_foreign_graph, "runs a graph that is not in the model"),
    ],
    ids=lambda value: value.__name__ if callable(value) else "",
)
def test_a_model_that_contradicts_itself_is_not_written(
    edit: Callable[[Model], None], message: str
) -> None:
    model = samples.sums()
    edit(model)
    with pytest.raises(InvalidModelError, match=message):
        write(model)
