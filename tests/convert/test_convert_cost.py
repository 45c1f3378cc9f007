"""What converting costs, held well below what a user would notice."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

MEGABYTE = 2**20
CODE = """
import sys, time
import sartor
sartor.convert(sys.argv[1], classes=10).save(sys.argv[2])
peak = next(line for line in open("/proc/self/status") if line.startswith("VmHWM:"))
print(time.process_time(), int(peak.split()[1]) * 1024)
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="asks /proc for the peak")
def test_a_process_that_converts_is_quick_and_small(real_model: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-c", CODE, str(real_model), str(tmp_path / "made.tflite")]
    costs = []
    for _ in range(3):  # the quickest counts: other processes take their share
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        costs.append(tuple(float(number) for number in done.stdout.split()))
        if costs[-1][0] < 0.5:
            break
    assert min(seconds for seconds, _ in costs) < 0.8  # the budget is 0.5 s, on a quiet machine
    assert min(peak for _, peak in costs) < 150 * MEGABYTE
