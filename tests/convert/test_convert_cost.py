"""The memory of a conversion. `benchmarks/convert.py` measures its time."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

MEGABYTE = 2**20
CODE = """
import sys
import sartor
sartor.convert(sys.argv[1], classes=10).save(sys.argv[2])
peak = next(line for line in open("/proc/self/status") if line.startswith("VmHWM:"))
print(int(peak.split()[1]) * 1024)
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads the peak from /proc")
def test_a_conversion_needs_less_than_150_megabytes(real_model: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-c", CODE, str(real_model), str(tmp_path / "model.tflite")]
    process = subprocess.run(command, capture_output=True, text=True, check=False)
    assert process.returncode == 0, process.stderr
    assert int(process.stdout) < 150 * MEGABYTE
