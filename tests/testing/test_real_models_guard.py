"""A run fails if a real model had no test (`tests/conftest.py`)."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

TESTS_FOLDER = Path(__file__).parents[1]
TESTS = """
import pytest

def test_on_each(real_model):
    if real_model.stem in {skipped!r}:
        pytest.skip("not today")

def test_of_another_kind():
    pass

def test_on_the_folder(shared_models):
    pass
"""


def run(
    folder: Path, models: list[str] | None, skipped: list[str], *arguments: str
) -> tuple[int, str]:
    tests = folder / "project" / "tests"
    tests.mkdir(parents=True)
    for name in ("conftest.py", "skipped.py"):
        shutil.copy(TESTS_FOLDER / name, tests)
    (tests / "test_it.py").write_text(TESTS.format(skipped=skipped))
    if models is not None:
        (folder / "shared" / "models").mkdir(parents=True)
        for name in models:
            (folder / "shared" / "models" / f"{name}.tflite").touch()
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *arguments]
    process = subprocess.run(
        command,
        cwd=folder / "project",
        env={name: value for name, value in os.environ.items() if name != "CI"},
        capture_output=True,
        text=True,
        check=False,
    )
    return process.returncode, process.stdout


@pytest.mark.parametrize(
    ("models", "skipped", "arguments", "code", "text"),
    [
        (["one", "two"], [], [], 0, "4 passed"),
        (["one", "two"], ["two"], [], 1, "FAILED: real models that no test ran on"),
        (["one", "two"], ["two"], ["-k", "one"], 0, "1 passed"),
        (["one", "two"], ["two"], ["tests/test_it.py::test_of_another_kind"], 0, "1 passed"),
        (["one", "two"], ["two"], ["--collect-only"], 0, "4 tests collected"),
        (None, [], [], 0, "NOT RUN: 2 tests on real models and photos"),
    ],
    ids=["all", "one skipped", "by name", "another test", "collected", "no folder"],
)
def test_a_skipped_model_fails_the_run(
    models: list[str] | None,
    skipped: list[str],
    arguments: list[str],
    code: int,
    text: str,
    tmp_path: Path,
) -> None:
    status, output = run(tmp_path, models, skipped, *arguments)
    assert text in output
    assert status == code, output
    if code:
        assert "two.tflite" in output
    if models is None:
        assert "test_on_each" in output
        assert "test_on_the_folder" in output
