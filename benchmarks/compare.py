"""Compare programs by turns, each in a process of its own.

Frameworks have thread pools, allocators and BLAS libraries of their own, which would disturb each
other in one process. Each candidate is created in a new process whose environment sets the number
of threads, and has one turn per round.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from statistics import median
from typing import Protocol

from .harness import seconds_per_call

__all__ = ["Candidate", "Result", "compare", "environment", "silence"]

_THREADS = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "TF_NUM_INTRAOP_THREADS",
)
_QUIET = {"TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": ""}
_PAUSE = 0.02  # between turns: idle thread pools spin before they sleep
_CHUNK = 0.001  # short: most chunks end before the core is taken away


class Candidate(Protocol):
    """A program to time: a callable with a measure of quality."""

    def __call__(self) -> object:
        """Do the work once. Calls are timed."""
        ...

    def quality(self) -> float:
        """Return an error or an accuracy. Called once, before the first turn."""
        ...


@dataclass
class Result:
    """The result of one candidate.

    Attributes:
        missing: reason why it is missing, or empty.
        quality: what `Candidate.quality` returned.
        times: seconds per call, one number per round.
    """

    missing: str = ""
    quality: float = float("nan")
    times: list[float] = field(default_factory=list)


def compare(
    candidates: Mapping[str, Callable[[], Candidate]],
    *,
    threads: int,
    rounds: int,
    turn: float,
) -> dict[str, Result]:
    """Time candidates by turns.

    Args:
        candidates: name → picklable factory, called in the candidate's process. A candidate whose
            factory raises ImportError is missing.
        threads: number of threads per candidate.
        rounds: number of turns per candidate.
        turn: seconds per turn. The time of a turn is the median over chunks of one millisecond,
            or of one call if a call takes longer.
    """
    with environment(threads):
        workers = {name: _Worker(make, turn) for name, make in candidates.items()}
        for _ in range(rounds):
            for worker in workers.values():
                worker.take_turn()
        return {name: worker.close() for name, worker in workers.items()}


@contextlib.contextmanager
def environment(threads: int) -> Iterator[None]:
    """Set the environment of new processes: number of threads, no log messages."""
    before = dict(os.environ)
    os.environ.update({**_QUIET, **dict.fromkeys(_THREADS, str(threads))})
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


class _Worker:
    """The process of one candidate."""

    def __init__(self, make: Callable[[], Candidate], turn: float) -> None:
        context = multiprocessing.get_context("spawn")
        self._pipe, theirs = context.Pipe()
        self._process = context.Process(target=_work, args=(theirs, make, turn), daemon=True)
        self._process.start()
        theirs.close()
        self._result: Result = self._pipe.recv()

    def take_turn(self) -> None:
        if not self._result.missing:
            time.sleep(_PAUSE)
            self._pipe.send(True)
            self._result.times.append(self._pipe.recv())

    def close(self) -> Result:
        if not self._result.missing:
            self._pipe.send(False)
        self._process.join()
        return self._result


def _work(pipe: Connection, make: Callable[[], Candidate], turn: float) -> None:
    """Run in the process: create the candidate, measure its quality, take turns until the end."""
    try:
        with silence():
            candidate = make()
            quality = candidate.quality()
    except ImportError as error:
        pipe.send(Result(missing=str(error)))
        return
    pipe.send(Result(quality=quality))
    seconds = median(seconds_per_call(candidate, 1) for _ in range(5))
    calls = max(1, round(_CHUNK / seconds))
    chunks = max(1, round(turn / (calls * seconds)))
    while pipe.recv():
        pipe.send(median(seconds_per_call(candidate, calls) for _ in range(chunks)))


@contextlib.contextmanager
def silence() -> Iterator[None]:
    """Suppress the log messages of native code on stderr."""
    stderr, devnull = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    os.dup2(devnull, 2)
    try:
        yield
    finally:
        os.dup2(stderr, 2)
        os.close(stderr)
        os.close(devnull)
