"""The programs of `benchmarks/android`, which run the Kotlin library in a desktop JVM."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import NamedTuple

__all__ = ["Kotlin", "Times", "output_of"]

_RUN = Path(__file__).parent / "android" / "run.sh"


class Times(NamedTuple):
    """The times of one call, in seconds.

    Attributes:
        seconds: its time.
        cpu: CPU time of the process.
        litert: time in LiteRT.
        litert_cpu: CPU time in LiteRT.
        jit: CPU time of the compiler of the JVM.
        gc: CPU time of the garbage collector of the JVM.
    """

    seconds: float
    cpu: float
    litert: float
    litert_cpu: float
    jit: float = 0
    gc: float = 0


class Kotlin:
    """The tasks of a program, in a process of their own.

    Args:
        program: class in `benchmarks/android`.
        model: model file.
        folder: folder of the program.

    Raises:
        RuntimeError: If the programs of `android/tools` are missing.
    """

    def __init__(self, program: str, model: Path, folder: Path) -> None:
        command = [str(_RUN), program, str(model), str(folder)]
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
            text=True, bufsize=1,
        )  # fmt: skip
        self._answer("READY")

    def measure(self, task: str, calls: int) -> Times:
        """Return the median times and the mean CPU times of some calls."""
        assert self._process.stdin is not None
        self._process.stdin.write(f"{task}={calls}\n")
        return Times(*map(float, self._answer("SECONDS").split()))

    def close(self) -> None:
        """End the process."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait()

    def _answer(self, word: str) -> str:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            if line.startswith(word):
                return line.removeprefix(word).strip()
        raise RuntimeError(f"the program of benchmarks/android has ended: run {_RUN.name} by hand")


def output_of(*arguments: object) -> str:
    """Return what a program prints.

    Raises:
        RuntimeError: If it fails.
    """
    run = subprocess.run([str(_RUN), *map(str, arguments)], capture_output=True, text=True)
    if run.returncode:
        raise RuntimeError(f"{_RUN.name} {arguments[0]} failed: {run.stderr[-500:]}")
    return run.stdout
