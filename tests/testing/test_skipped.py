"""In CI, a skipped test fails the run if its reason is not listed (`tests/skipped.py`)."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

PLUGIN = Path(__file__).parents[1] / "skipped.py"
TESTS = """
import pytest

def test_skipped():
    pytest.skip("{reason}")

@pytest.mark.xfail
def test_expected_failure():
    assert False
"""


@pytest.mark.parametrize(
    ("reason", "ci", "code", "text"),
    [
        ("there is no C compiler", "", 0, "apt-get install gcc"),
        ("there is no C compiler", "true", 1, "FAILED: CI skips no test"),
        ("litert-torch is not installed", "true", 0, "make test-torch"),
    ],
)
def test_ci_skips_only_what_is_listed(
    reason: str, ci: str, code: int, text: str, tmp_path: Path
) -> None:
    shutil.copy(PLUGIN, tmp_path)
    (tmp_path / "test_it.py").write_text(TESTS.format(reason=reason))
    result = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "skipped", "-p", "no:cacheprovider"],
        cwd=tmp_path,
        env={**os.environ, "CI": ci, "PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert text in result.stdout
    assert f"1 skipped: {reason}" in result.stdout
    assert result.returncode == code, result.stdout
