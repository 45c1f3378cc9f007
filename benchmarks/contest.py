"""A contest between programs that would disturb each other: each in a process of its own, by turns.

Frameworks bring thread pools, allocators and BLAS libraries of their own. So each entrant is made
in a fresh process whose environment sets the number of threads, and one round gives each a turn.
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

__all__ = ["Entrant", "Result", "contest", "environment", "silence"]

_THREADS = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "TF_NUM_INTRAOP_THREADS",
)
_QUIET = {"TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": ""}
_PAUSE = 0.02  # between turns: idle pools spin for a while before they sleep
_CHUNK = 0.001  # so short that most are over before another process gets the core


class Entrant(Protocol):
    """What takes part: a callable that does the work once, and says how good that was."""

    def __call__(self) -> object:
        """Do the work once: what is timed."""
        ...

    def quality(self) -> float:
        """Called once, before anything is timed: an error or an accuracy."""
        ...


@dataclass
class Result:
    """What came of one entrant.

    Attributes:
        missing: why it did not take part, or empty.
        quality: as the entrant measures it.
        times: seconds a call, one number a round.
    """

    missing: str = ""
    quality: float = float("nan")
    times: list[float] = field(default_factory=list)


def contest(
    entrants: Mapping[str, Callable[[], Entrant]],
    *,
    threads: int,
    rounds: int,
    turn: float,
) -> dict[str, Result]:
    """Time all entrants by turns.

    Args:
        entrants: name → what makes it, in its own process; picklable. An ImportError there
            leaves it out.
        threads: that each may use.
        rounds: turns of each.
        turn: seconds of one turn; its median is taken, over parts of a millisecond or one call.
    """
    with environment(threads):
        workers = {name: _Worker(make, turn) for name, make in entrants.items()}
        for _ in range(rounds):
            for worker in workers.values():
                worker.take_turn()
        return {name: worker.close() for name, worker in workers.items()}


@contextlib.contextmanager
def environment(threads: int) -> Iterator[None]:
    """Let processes that are started within have so many threads, and be quiet."""
    before = dict(os.environ)
    os.environ.update({**_QUIET, **dict.fromkeys(_THREADS, str(threads))})
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


class _Worker:
    """One entrant's process, seen from outside."""

    def __init__(self, make: Callable[[], Entrant], turn: float) -> None:
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


def _work(pipe: Connection, make: Callable[[], Entrant], turn: float) -> None:
    """The other side: make the entrant, check it, and take turns until told to end."""
    try:
        with silence():
            entrant = make()
            quality = entrant.quality()
    except ImportError as error:
        pipe.send(Result(missing=str(error)))
        return
    pipe.send(Result(quality=quality))
    seconds = median(seconds_per_call(entrant, 1) for _ in range(5))
    calls = max(1, round(_CHUNK / seconds))
    chunks = max(1, round(turn / (calls * seconds)))
    while pipe.recv():
        pipe.send(median(seconds_per_call(entrant, calls) for _ in range(chunks)))


@contextlib.contextmanager
def silence() -> Iterator[None]:
    """Keep what native code writes about itself off stderr; a traceback comes after it."""
    kept, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)
