"""The pages about ops say what is so."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from sartor.ops import ROWS
from sartor.ops.table import support_table

DOCS = Path(__file__).parents[2] / "docs"


@pytest.fixture
def rows_as_they_were() -> Iterator[None]:
    before = dict(ROWS)
    yield
    ROWS.clear()
    ROWS.update(before)


@pytest.mark.usefixtures("rows_as_they_were")
def test_the_code_of_add_a_gradient_runs(capsys: pytest.CaptureFixture[str]) -> None:
    page = (DOCS / "add-a-gradient.md").read_text(encoding="utf-8")
    blocks = re.findall(r"^```python\n(.*?)^```$", page, re.DOTALL | re.MULTILINE)
    assert len(blocks) == 4
    scope: dict[str, object] = {"__name__": "add_a_gradient"}
    for block in blocks:
        exec(compile(block, "docs/add-a-gradient.md", "exec"), scope)
    printed = capsys.readouterr().out
    assert printed.startswith("GradientCheck(value=")
    assert "the gradient rules of COS: the gradient with respect to" in printed


def test_the_table_of_support_is_up_to_date() -> None:
    committed = (DOCS / "ops.md").read_text(encoding="utf-8")
    assert committed == support_table(), "run: python -m sartor.ops.table > docs/ops.md"
