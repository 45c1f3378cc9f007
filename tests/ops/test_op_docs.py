"""The pages about ops agree with the code."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from sartor.autodiff import gradients
from sartor.costs import multiply_adds
from sartor.errors import InvalidModelError
from sartor.flatbuffer import check_shapes
from sartor.flatbuffer.check import check_model
from sartor.graph import Graph, Model
from sartor.ops import ROWS, emit, evaluate, reduce_sum, version_of
from sartor.ops.registry import FAMILIES
from sartor.ops.table import support_table
from sartor.passes.dataflow import Dataflow

DOCS = Path(__file__).parents[2] / "docs"


@pytest.fixture
def restored_rows() -> Iterator[None]:
    rows, families = dict(ROWS), {family: list(codes) for family, codes in FAMILIES.items()}
    yield
    ROWS.clear()
    ROWS.update(rows)
    FAMILIES.clear()
    FAMILIES.update(families)


def run_page() -> None:
    page = (DOCS / "add-a-gradient.md").read_text(encoding="utf-8")
    blocks = re.findall(r"^```python\n(.*?)^```$", page, re.DOTALL | re.MULTILINE)
    assert len(blocks) == 5
    scope: dict[str, object] = {"__name__": "add_a_gradient"}
    for block in blocks:
        exec(compile(block, "docs/add-a-gradient.md", "exec"), scope)


@pytest.mark.usefixtures("restored_rows")
def test_the_code_of_add_a_gradient_runs(capsys: pytest.CaptureFixture[str]) -> None:
    run_page()
    output = capsys.readouterr().out
    assert output.startswith("GradientCheck(value=")
    assert "the gradient rules of COS: the gradient with respect to" in output


@pytest.mark.usefixtures("restored_rows")
def test_one_row_adds_an_op_to_all_of_sartor() -> None:
    run_page()
    graph = Graph("main")
    x, weights = graph.input("x", (2, 3)), graph.input("weights", (3,))
    y = emit("CHANNEL_SCALE", x, weights)
    op, model = graph.ops[0], Model()
    model.graphs, graph.outputs = [graph], gradients(reduce_sum(y, [0, 1]), [x, weights])
    values = evaluate(graph, {x: np.ones((2, 3)), weights: np.array([1.0, 2.0, 3.0])})
    assert [values[t].tolist() for t in graph.outputs] == [[[1, 2, 3], [1, 2, 3]], [2, 2, 2]]
    assert (version_of(op), multiply_adds(op), Dataflow.of(graph).is_weighted(op)) == (1, 6, False)
    check_model(model)
    check_shapes(model)
    assert "| CHANNEL_SCALE | rule, rule | 2 | NumPy, shape, versions, weights (axis 0) |" in (
        support_table()
    )
    y.shape = (3, 3)
    with pytest.raises(InvalidModelError, match=r"CHANNEL_SCALE → channel_scale>: the file states"):
        check_shapes(model)
    op.set_inputs([x])
    with pytest.raises(InvalidModelError, match="op 0 CHANNEL_SCALE has 1 inputs, expected at lea"):
        check_model(model)


def test_the_list_of_ops_is_up_to_date() -> None:
    page = (DOCS / "ops.md").read_text(encoding="utf-8")
    assert page == support_table(), "run: python -m sartor.ops.table > docs/ops.md"
