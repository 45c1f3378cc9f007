"""The size of the tests: seconds by default, an hour if SARTOR_NIGHTLY is set."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

__all__ = ["NIGHTLY", "lines_of", "scaled"]

NIGHTLY = bool(os.environ.get("SARTOR_NIGHTLY"))


def scaled(quick: int, nightly: int) -> int:
    """Return the number of repetitions."""
    return nightly if NIGHTLY else quick


def lines_of(script: str, *arguments: object, prefix: tuple[str, ...] = ()) -> list[str]:
    """What a script of this folder prints.

    Args:
        script: its name, without `.py`.
        arguments: of its own.
        prefix: a command that runs it.
    """
    path = Path(__file__).with_name(f"{script}.py")
    command = [*prefix, sys.executable, str(path), *map(str, arguments)]
    done = subprocess.run(
        command,
        capture_output=True,
        text=True,
        timeout=scaled(120, 7200),
        check=False,
        env={**os.environ, "OPENBLAS_NUM_THREADS": "1"},  # threads do not survive a fork
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-4000:]
    return done.stdout.splitlines()
