"""The notebooks under examples/ run, and were saved with what they show.

Their cells are executed here as a notebook would, one namespace for all and the value of a last
expression shown; a Jupyter server and kernel, with their forty packages, would run the same lines.
"""

from __future__ import annotations

import ast
import json
import re
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
NOTEBOOKS = sorted((ROOT / "examples").glob("*.ipynb"))

needs_photos = pytest.mark.skipif(
    find_spec("skimage") is None or find_spec("sklearn") is None,
    reason="the extra `demo` is not installed",
)
each_notebook = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)


def code_cells(path: Path) -> list[dict[str, Any]]:
    return [cell for cell in json.loads(path.read_text())["cells"] if cell["cell_type"] == "code"]


def shown(code: str, namespace: dict[str, Any]) -> str:
    """Run a cell; what it would show: as HTML where it can be, else as text."""
    tree = ast.parse(code)
    last = tree.body.pop() if isinstance(tree.body[-1], ast.Expr) else None
    exec(compile(tree, "cell", "exec"), namespace)
    if not isinstance(last, ast.Expr):
        return ""
    value = eval(compile(ast.Expression(last.value), "cell", "eval"), namespace)
    if value is None:
        return ""
    return value._repr_html_() if hasattr(value, "_repr_html_") else repr(value)


def test_there_is_one() -> None:
    assert NOTEBOOKS


@needs_photos
@each_notebook
def test_it_runs(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    namespace: dict[str, Any] = {}
    for cell in code_cells(path):
        text = shown("".join(cell["source"]), namespace)
        kinds = {kind for output in cell["outputs"] for kind in output.get("data", {})}
        assert bool(text) == bool(kinds)
        assert text.startswith("<div>") == ("text/html" in kinds)
        printed = capsys.readouterr().out
        assert bool(printed) == any(output["output_type"] == "stream" for output in cell["outputs"])


@each_notebook
def test_it_was_saved_after_a_run_from_top_to_bottom(path: Path) -> None:
    notebook = json.loads(path.read_text())
    assert (notebook["nbformat"], len({cell["id"] for cell in notebook["cells"]})) == (
        4, len(notebook["cells"]),
    )  # fmt: skip
    cells = code_cells(path)
    assert [cell["execution_count"] for cell in cells] == list(range(1, len(cells) + 1))
    outputs = [output for cell in cells for output in cell["outputs"]]
    assert all(output["output_type"] in ("execute_result", "stream") for output in outputs)
    assert not [output for output in outputs if output.get("name") == "stderr"]


@each_notebook
def test_it_is_small_and_holds_nobodys_pictures_or_paths(path: Path) -> None:
    text = path.read_text()
    assert len(text) < 60_000
    assert "image/png" not in text
    assert not re.search(r"/(home|tmp|root|Users|work)/", text)
