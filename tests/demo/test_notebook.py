"""The notebooks in `examples/` run, and contain the outputs of a run.

The tests execute the cells as Jupyter does: in one namespace, with the value of the last expression
as output.
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


def run_cell(code: str, namespace: dict[str, Any]) -> str:
    """Run a cell; return its output, as HTML if possible."""
    tree = ast.parse(code)
    last = tree.body.pop() if isinstance(tree.body[-1], ast.Expr) else None
    exec(compile(tree, "cell", "exec"), namespace)
    if not isinstance(last, ast.Expr):
        return ""
    value = eval(compile(ast.Expression(last.value), "cell", "eval"), namespace)
    if value is None:
        return ""
    return value._repr_html_() if hasattr(value, "_repr_html_") else repr(value)


def test_there_is_a_notebook() -> None:
    assert NOTEBOOKS


@needs_photos
@each_notebook
def test_a_notebook_runs(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    namespace: dict[str, Any] = {}
    for cell in code_cells(path):
        text = run_cell("".join(cell["source"]), namespace)
        mime_types = {
            mime_type for output in cell["outputs"] for mime_type in output.get("data", {})
        }
        assert bool(text) == bool(mime_types)
        assert text.startswith("<div>") == ("text/html" in mime_types)
        stdout = capsys.readouterr().out
        assert bool(stdout) == any(output["output_type"] == "stream" for output in cell["outputs"])


@each_notebook
def test_a_notebook_was_saved_after_a_complete_run(path: Path) -> None:
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
def test_a_notebook_is_small_and_contains_no_images_or_paths(path: Path) -> None:
    text = path.read_text()
    assert len(text) < 60_000
    assert "image/png" not in text
    assert not re.search(r"/(home|tmp|root|Users|work)/", text)
