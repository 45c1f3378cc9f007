"""A process that is killed at any step leaves the files as before the method or as after it."""

from __future__ import annotations

import signal
from collections.abc import Callable
from pathlib import Path

import pytest
from scale import run_script, scaled
from steps import METHODS

pytestmark = pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="no SIGKILL here")
QUICK = {"rename": 2, "forget class": 3, "import": 9, "export": 4, "unpack": 4, "save": 5}


@pytest.mark.parametrize("method", METHODS)
def test_a_kill_at_any_step_loses_nothing(
    tiny: Callable[..., Path], tmp_path: Path, method: str
) -> None:
    every = scaled(QUICK.get(method, 6), 1)
    tiny("model", classes=8)
    lines = run_script("steps", tmp_path, method, every)
    assert [line for line in lines if not line.endswith(" ok")] == []
    assert len(lines) >= scaled(2, 8)
