"""A day of previews, samples and trainings does not increase the memory."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from scale import lines_of, scaled

Convert = Callable[..., Path]
LEAK = 256  # bytes a call; a leak of 1 KB is four times that
NOISE = 128 << 10  # bytes: a few pages come and go


@pytest.mark.parametrize(
    ("what", "times", "calls"),
    [("verbs", scaled(250, 5000), 1), ("day", scaled(20, 2000), 200)],
)
def test_memory_stays_flat(
    tiny: Convert, tmp_path: Path, what: str, times: int, calls: int
) -> None:
    tiny("model", classes=8)
    for line in lines_of("day", tmp_path, what, times):
        print(line)
        found = json.loads(line)
        growth = found["last"] - found["first"]
        assert growth <= LEAK * calls * found["calls"] + NOISE, found
