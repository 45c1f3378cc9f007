"""Change the files of a user, use them as an app does, and print the outcomes.

    python fuzz.py run FOLDER KIND FIRST COUNT    run cases; print those that went wrong, and counts
    python fuzz.py files FOLDER KIND SEED OUTPUT  write the files of one case

KIND is `base` (any model, which is inspected and converted), `model` (a personalizable file),
`checkpoint`, `store`, `project` or `image`. FOLDER is for the unchanged files, and for those of the
cases that go wrong; it may contain bases as `bases/*.tflite`.

A worker process runs one case after another. The outcome of a case is `works`, `refused`, or one
that must not be: `RAW` (an exception that is not ours), `WRONG` (accepted, and then answers that
are no numbers), `MEMORY` (above 1 GB), `CRASH` or `HANG`.
"""

from __future__ import annotations

import os
import resource
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import traceback
from collections import Counter
from pathlib import Path

from fuzz_cases import prepare, use, write_files

__all__ = ["main"]

_SECONDS = 150.0  # LiteRT may take 120 in a trial
_MEMORY = 1 << 30  # bytes
_ADDRESSES = 8 << 30  # bytes


def main() -> None:
    """Run the command line."""
    command, folder, kind, first, last = sys.argv[1:]
    source = Path(folder)
    if not (source / "ready").exists():
        prepare(source)
    if command == "files":
        Path(last).mkdir(parents=True, exist_ok=True)
        write_files(source, kind, int(first), Path(last))
    elif command == "work":
        _work(source, kind)
    else:
        _run(source, kind, int(first), int(last))


def _run(source: Path, kind: str, first: int, count: int) -> None:
    worker, outcomes = _Worker(source, kind), Counter[str]()
    for seed in range(first, first + count):
        outcome = worker.run(seed)
        outcomes[outcome.split()[0]] += 1
        if not outcome.startswith(("works", "refused")):
            print(seed, outcome, flush=True)
            failed = source / "failed" / f"{kind}-{seed}"
            failed.mkdir(parents=True, exist_ok=True)
            write_files(source, kind, seed, failed)
    worker.stop()
    print("counts", kind, *(f"{name}={number}" for name, number in sorted(outcomes.items())))


class _Worker:
    """The supervisor of the process that runs the cases."""

    def __init__(self, source: Path, kind: str) -> None:
        self._command = [sys.executable, __file__, "work", str(source), kind, "0", "0"]
        self._process: subprocess.Popen[str] | None = None
        self._home = tempfile.mkdtemp(prefix="sartor-fuzz-")

    def run(self, seed: int) -> str:
        """Return the outcome of a case."""
        if self._process is None or self._process.poll() is not None:
            self._process = subprocess.Popen(
                self._command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                text=True,
                env={**os.environ, "TMPDIR": self._home, "OPENBLAS_NUM_THREADS": "1"},
            )
            self._read(600)
        assert self._process.stdin is not None
        print(seed, file=self._process.stdin, flush=True)
        line = self._read(_SECONDS)
        if line is None:
            self._process.kill()
            self._process.wait()
            return "HANG"
        if not line:
            status = self._process.wait()
            return f"CRASH {signal.Signals(-status).name if status < 0 else status}"
        return line.strip()

    def _read(self, seconds: float) -> str | None:
        """Return a line; an empty one if the process ended, None if none came in time."""
        assert self._process is not None
        assert self._process.stdout is not None
        ready, _, _ = select.select([self._process.stdout], [], [], seconds)
        return self._process.stdout.readline() if ready else None

    def stop(self) -> None:
        """End the process, and delete its temporary files."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
        shutil.rmtree(self._home, ignore_errors=True)


# --- the worker --------------------------------------------------------------------------------


def _work(source: Path, kind: str) -> None:
    """Run the cases whose seeds come from stdin."""
    resource.setrlimit(resource.RLIMIT_AS, (_ADDRESSES, _ADDRESSES))
    _case(source, kind, 0)  # imports everything
    print("ready", flush=True)
    for line in sys.stdin:
        _reset_peaks()
        before = _memory("VmRSS")
        outcome = _case(source, kind, int(line))
        more = _memory("VmHWM") - before
        if more > _MEMORY and outcome.startswith(("works", "refused")):
            outcome = f"MEMORY {more >> 20} MB, {outcome}"
        print(outcome, flush=True)


def _case(source: Path, kind: str, seed: int) -> str:
    with tempfile.TemporaryDirectory(prefix="case-") as name:
        folder = Path(name)
        try:
            write_files(source, kind, seed, folder)
            outcome = use(folder, kind)
        except BaseException as error:
            trace = traceback.extract_tb(error.__traceback__)
            places = " < ".join(f"{Path(e.filename).name}:{e.lineno}" for e in reversed(trace[-4:]))
            outcome = f"RAW {type(error).__name__} {error} [{places}]"
    return " ".join(outcome.split())[:600]


def _reset_peaks() -> None:
    Path("/proc/self/clear_refs").write_text("5")


def _memory(name: str) -> int:
    """Return a field of /proc/self/status in bytes."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(name):
            return 1024 * int(line.split()[1])
    raise KeyError(name)


if __name__ == "__main__":
    main()
