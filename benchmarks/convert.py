"""Conversion of a 4 MB int8 MobileNetV2: time and peak memory of the process."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from .harness import MOBILENET, Goal, Report, main, shared

_ROUNDS, _ROUNDS_OF_OTHERS = 9, 3
_SECONDS, _MEGABYTES = 0.5, 150

# A separate program: the peak memory of a process includes its parent's before `exec`.
_MEASURE = """
import json, os, sys, time
start = time.perf_counter()
pid = os.posix_spawn(sys.argv[1], sys.argv[1:], os.environ)
_, status, used = os.wait4(pid, 0)
seconds = time.perf_counter() - start
cpu = used.ru_utime + used.ru_stime
print(json.dumps([os.waitstatus_to_exitcode(status), seconds, cpu, used.ru_maxrss * 1024]))
"""


@dataclass(frozen=True)
class Usage:
    """Resources of one process: seconds, CPU seconds, and peak memory in bytes."""

    seconds: float
    cpu: float
    memory: int


def run() -> Report:
    base = shared("models", MOBILENET)
    with tempfile.TemporaryDirectory() as folder:
        programs = _programs(base, Path(folder, "out.tflite"))
        used: dict[str, list[Usage]] = {name: [] for name in programs}
        for index in range(_ROUNDS):
            for name, command in programs.items():
                if index < _ROUNDS_OF_OTHERS or name not in _OTHERS:
                    used[name].append(_measure(command))
    missing = [name for name, package in _OTHERS.items() if not _installed(package)]
    return Report(
        "Conversion of a 4 MB int8 MobileNetV2, softmax head, ten classes",
        ["process", "time", "best", "CPU time", "peak memory"],
        [_row(name, usages) for name, usages in used.items()],
        goals=[_goal(name, used[name]) for name in list(programs)[:2]],
        notes=[
            f"From start to end of the process, by turns; medians of {_ROUNDS} runs, of "
            f"{_ROUNDS_OF_OTHERS} for other frameworks. 1 MB is 10⁶ bytes. "
            "The CPU time is independent of other load on the machine.",
            *(f"{name}: missing (not installed)" for name in missing),
        ],
        data={name: [vars(each) for each in usages] for name, usages in used.items()},
    )


_OTHERS = {
    "only `import tensorflow`": "tensorflow",
    "only `import onnxruntime.training.artifacts`": "onnxruntime.training.artifacts",
}


def _programs(base: Path, output: Path) -> dict[str, list[str]]:
    command = Path(sys.executable).with_name("sartor")
    if not command.exists():
        sys.exit("NOT RUN: no command `sartor` beside this Python: run pip install . first")
    code = "import sys, sartor; sartor.convert(sys.argv[1], classes=10).save(sys.argv[2])"
    programs = {
        "`sartor convert`": [str(command), "convert", str(base), "-o", str(output),
                             "--classes", "10"],
        "`sartor.convert(…)` in Python": _python(code, str(base), str(output)),
        "only `import numpy`": _python("import numpy"),
    }  # fmt: skip
    others = {
        name: _python(f"import {package}")
        for name, package in _OTHERS.items()
        if _installed(package)
    }
    return {**programs, **others}


def _python(code: str, *arguments: str) -> list[str]:
    return [sys.executable, "-c", code, *arguments]


def _installed(package: str) -> bool:
    """Return whether a package can be imported, tested in a process of its own."""
    command = _python(f"import {package}")
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


def _measure(command: list[str]) -> Usage:
    program = shutil.which(command[0]) or command[0]
    launcher = [sys.executable, "-I", "-S", "-c", _MEASURE, program, *command[1:]]
    result = subprocess.run(launcher, capture_output=True, text=True, check=True)
    status, seconds, cpu, memory = json.loads(result.stdout.splitlines()[-1])
    if status:
        sys.exit(f"{' '.join(command)} failed:\n{result.stderr}")
    return Usage(seconds, cpu, memory)


def _row(name: str, used: list[Usage]) -> list[str]:
    cpu = median(each.cpu for each in used)
    best = min(each.seconds for each in used)
    return [
        name, f"{_seconds(used):.2f} s", f"{best:.2f} s", f"{cpu:.2f} s",
        f"{_megabytes(used):.0f} MB",
    ]  # fmt: skip


def _seconds(used: list[Usage]) -> float:
    return median(each.seconds for each in used)


def _megabytes(used: list[Usage]) -> float:
    return median(each.memory for each in used) / 1e6


def _goal(name: str, used: list[Usage]) -> Goal:
    seconds, megabytes = _seconds(used), _megabytes(used)
    return Goal(
        f"{name}: under {_SECONDS} s and {_MEGABYTES} MB",
        f"{seconds:.2f} s, {megabytes:.0f} MB",
        seconds < _SECONDS and megabytes < _MEGABYTES,
    )


if __name__ == "__main__":
    main(run)
