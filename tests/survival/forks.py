"""Work in processes of their own, so that a crash, a hang or a kill ends only one case."""

from __future__ import annotations

import os
import resource
import signal
import tempfile
import traceback
from collections.abc import Callable
from pathlib import Path

import ai_edge_litert.interpreter  # once here, and not in each process
import safetensors.numpy

__all__ = ["Child", "outcome", "start"]

_LOADED = ai_edge_litert.interpreter, safetensors.numpy


class Child:
    """A process that does one piece of work.

    Args:
        number: of the process.
        result: the file that it writes its result to.
    """

    def __init__(self, number: int, result: Path) -> None:
        self._number = number
        self._result = result

    def kill(self) -> None:
        """Send SIGKILL, and wait for the end."""
        os.kill(self._number, signal.SIGKILL)
        self.wait()

    def wait(self) -> str:
        """What the work returned; or `CRASH` and a signal, or an exception with its trace."""
        _, status = os.waitpid(self._number, 0)
        text = self._result.read_text()
        self._result.unlink()
        if os.WIFSIGNALED(status):
            return f"CRASH {signal.Signals(os.WTERMSIG(status)).name}"
        return text


def start(work: Callable[[], str], *, seconds: int = 60, memory: int | None = None) -> Child:
    """Begin some work in a new process.

    Args:
        work: its result has one line.
        seconds: SIGALRM ends it after so many.
        memory: bytes that it may take beside what is taken already.
    """
    handle, name = tempfile.mkstemp(prefix="sartor-case-")
    os.close(handle)
    number = os.fork()
    if number:
        return Child(number, Path(name))
    signal.alarm(seconds)
    if memory is not None:
        pages = int(Path("/proc/self/statm").read_text().split()[0])
        limit = pages * resource.getpagesize() + memory
        resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    try:
        text = work()
    except BaseException:
        text = "CRASH " + traceback.format_exc().replace("\n", " | ")
    Path(name).write_text(text)
    os._exit(0)  # nothing of the parent is ended in its place


def outcome(work: Callable[[], str], *, seconds: int = 60, memory: int | None = None) -> str:
    """What comes of some work in a process of its own; see `start` and `Child.wait`."""
    return start(work, seconds=seconds, memory=memory).wait()
