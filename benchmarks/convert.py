"""Converting a 4 MB int8 MobileNetV2: time and peak memory of the whole process."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from .harness import MOBILENET, Promise, Report, main, shared

_ROUNDS, _ROUNDS_OF_OTHERS = 9, 3
_SECONDS, _MEGABYTES = 0.5, 150

# Small and on its own, as the peak memory of a process counts its parent's before `exec`.
_MEASURE = """
import json, os, sys, time
start = time.perf_counter()
pid = os.posix_spawn(sys.argv[1], sys.argv[1:], os.environ)
_, status, used = os.wait4(pid, 0)
taken = time.perf_counter() - start
cpu = used.ru_utime + used.ru_stime
print(json.dumps([os.waitstatus_to_exitcode(status), taken, cpu, used.ru_maxrss * 1024]))
"""


@dataclass(frozen=True)
class Usage:
    """What one process took: seconds by the clock and of the CPU, and bytes at its peak."""

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
                    used[name].append(_measured(command))
    absent = [name for name, package in _OTHERS.items() if not _installed(package)]
    return Report(
        "Converting a 4 MB int8 MobileNetV2, softmax head, ten classes",
        ["whole process", "time", "best", "CPU time", "peak memory"],
        [_row(name, usages) for name, usages in used.items()],
        promises=[_promise(name, used[name]) for name in list(programs)[:2]],
        notes=[
            f"From the start of the process to its end; by turns, medians of {_ROUNDS}, of "
            f"{_ROUNDS_OF_OTHERS} for other frameworks. "
            "MB are millions of bytes. CPU time is what a free core would have needed.",
            *(f"{name}: not installed, left out" for name in absent),
        ],
        data={name: [vars(each) for each in usages] for name, usages in used.items()},
    )


_OTHERS = {
    "`import tensorflow`, and nothing else": "tensorflow",
    "`import onnxruntime.training.artifacts`, and nothing else": "onnxruntime.training.artifacts",
}


def _programs(base: Path, output: Path) -> dict[str, list[str]]:
    command = Path(sys.executable).with_name("sartor")
    if not command.exists():
        sys.exit("NOT RUN: there is no command `sartor` beside this Python: install Sartor first")
    code = "import sys, sartor; sartor.convert(sys.argv[1], classes=10).save(sys.argv[2])"
    programs = {
        "`sartor convert`": [str(command), "convert", str(base), "-o", str(output),
                             "--classes", "10"],
        "`sartor.convert(…)` in Python": _python(code, str(base), str(output)),
        "`import numpy`, and nothing else": _python("import numpy"),
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
    """Whether it can be imported; a process of its own finds out."""
    command = _python(f"import {package}")
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


def _measured(command: list[str]) -> Usage:
    program = shutil.which(command[0]) or command[0]
    launcher = [sys.executable, "-I", "-S", "-c", _MEASURE, program, *command[1:]]
    done = subprocess.run(launcher, capture_output=True, text=True, check=True)
    status, seconds, cpu, memory = json.loads(done.stdout.splitlines()[-1])
    if status:
        sys.exit(f"{' '.join(command)} failed:\n{done.stderr}")
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


def _promise(name: str, used: list[Usage]) -> Promise:
    seconds, megabytes = _seconds(used), _megabytes(used)
    return Promise(
        f"{name}: under {_SECONDS} s and {_MEGABYTES} MB",
        f"{seconds:.2f} s, {megabytes:.0f} MB",
        seconds < _SECONDS and megabytes < _MEGABYTES,
    )


if __name__ == "__main__":
    main(run)
