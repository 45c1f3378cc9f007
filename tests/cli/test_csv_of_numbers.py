"""`fit`, `evaluate` and `predict` with a CSV that has one sample per line."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from commands import Run


@pytest.fixture
def moves(tmp_path: Path) -> Path:
    """Return a CSV with the lines of two classes: 8 numbers and a label."""
    rng = np.random.default_rng(0)
    lines = ["x0,x1,x2,x3,x4,x5,x6,x7,label"]
    for number in range(12):
        label, center = ("wave", 2.0) if number % 2 else ("circle", -2.0)
        values = center + rng.normal(size=8)
        lines.append(",".join([*map(str, values.tolist()), label]))
    path = tmp_path / "moves.csv"
    path.write_text("\n".join(lines))
    return path


def test_a_csv_with_a_sample_per_line(
    tiny: Callable[..., Path], moves: Path, tmp_path: Path, run: Run
) -> None:
    model = tiny()
    result = run("fit", model, moves, "--validation", "0.3")
    assert result.code == 0, result
    assert "12 photos new: circle 6, wave 6" in result.err
    assert run("fit", model, moves).changes == []
    assert run("evaluate", model, moves, "--json").json["accuracy"] == 1
    rows = run("predict", model, moves, "--json").json
    assert [row["file"] for row in rows] == [f"{moves}:{line}" for line in range(2, 14)]
    assert [row["top"][0]["label"] for row in rows] == ["circle", "wave"] * 6
    lines = moves.read_text().splitlines()
    unlabelled = tmp_path / "unlabelled.csv"
    unlabelled.write_text("\n".join(line.rpartition(",")[0] for line in lines))
    other = run("predict", model, unlabelled, "--json").json
    assert [row["top"] for row in other] == [row["top"] for row in rows]
    assert "1 photo deleted" in run("forget", model, f"{moves}:3").out
    assert "skipped (--include-forgotten adds them): wave 1" in run("fit", model, moves).err
    moves.write_text("\n".join(lines[:-1]))
    assert "1 photo no longer in" in run("fit", model, moves).err


def test_a_text_in_a_csv_of_numbers_is_named(
    tiny: Callable[..., Path], moves: Path, tmp_path: Path, run: Run
) -> None:
    model = tiny()
    assert run("fit", model, moves).code == 0
    damaged = tmp_path / "damaged.csv"
    damaged.write_text(moves.read_text().replace("wave", "x,wave", 1))
    assert "line 3: expected 9 columns, got 10" in run("fit", model, damaged).error
    damaged.write_text("1,2,3,4,5,6,7,wave\n")
    assert "has 8 columns; expected 8 numbers" in run("fit", model, damaged).error
    damaged.write_text("1,2,3,4,5,6,7,8,wave\n1,2,3,4,5,?,7,8,wave\n")
    expected = f"{damaged}, line 2, column 6: expected a float32 number, got '?'"
    assert expected in run("fit", model, damaged).error
    assert expected in run("predict", model, damaged).err
    result = run("predict", model, damaged, moves)
    assert result.code == 1
    assert "1 of 13 photos cannot be read; the rest are predicted" in result.err
