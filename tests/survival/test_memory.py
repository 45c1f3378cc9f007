"""A day of previews, samples and trainings does not increase the memory."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from scale import run_script, scaled

Convert = Callable[..., Path]
LEAK = 256  # bytes per call, a quarter of a leak of 1 KB
NOISE = 128 << 10  # bytes, a few pages


@pytest.mark.parametrize(
    ("workload", "times", "calls"),
    [("methods", scaled(250, 5000), 1), ("day", scaled(20, 2000), 200)],
)
def test_memory_stays_flat(
    tiny: Convert, tmp_path: Path, workload: str, times: int, calls: int
) -> None:
    tiny("model", classes=8)
    for line in run_script("day", tmp_path, workload, times):
        print(line)
        measurement = json.loads(line)
        growth = measurement["last"] - measurement["first"]
        assert growth <= LEAK * calls * measurement["calls"] + NOISE, measurement
