"""A process that is killed at any point loses no acknowledged change."""

from __future__ import annotations

import signal
from collections.abc import Callable
from pathlib import Path

import pytest
from scale import run_script, scaled


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="no SIGKILL here")
def test_acknowledged_changes_survive_a_kill(tiny: Callable[..., Path], tmp_path: Path) -> None:
    tiny("model", classes=8)
    count = scaled(25, 250)
    lines = run_script("killed", tmp_path, 0, count)
    assert [line for line in lines if not line.endswith(": ok")] == []
    assert len(lines) == count
    assert len({line.split()[2] for line in lines}) > 4, "few methods were interrupted"
