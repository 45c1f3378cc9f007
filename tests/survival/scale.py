"""The duration of the tests: seconds by default, an hour if SARTOR_NIGHTLY is set."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

__all__ = ["NIGHTLY", "run_script", "scaled"]

NIGHTLY = bool(os.environ.get("SARTOR_NIGHTLY"))


def scaled(quick: int, nightly: int) -> int:
    """Return the number of repetitions."""
    return nightly if NIGHTLY else quick


def run_script(script: str, *arguments: object, prefix: tuple[str, ...] = ()) -> list[str]:
    """Run a script of this folder, and return the lines that it prints.

    Args:
        script: name of the script, without `.py`.
        arguments: arguments of the script.
        prefix: command that runs the script. Default: none.
    """
    path = Path(__file__).with_name(f"{script}.py")
    command = [*prefix, sys.executable, str(path), *map(str, arguments)]
    process = subprocess.run(
        command,
        capture_output=True,
        text=True,
        timeout=scaled(1800, 6 * 3600),
        check=False,
        env={**os.environ, "OPENBLAS_NUM_THREADS": "1"},  # a fork has no other threads
    )
    assert process.returncode == 0, process.stdout[-2000:] + process.stderr[-4000:]
    return process.stdout.splitlines()
