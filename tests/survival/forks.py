"""Run each case in a new process, so that a crash, a hang or a kill ends only one case."""

from __future__ import annotations

import os
import resource
import signal
import tempfile
import traceback
from collections.abc import Callable
from pathlib import Path

import ai_edge_litert.interpreter  # loaded once, for all child processes
import safetensors.numpy

__all__ = ["Child", "outcome", "start"]

_LOADED = ai_edge_litert.interpreter, safetensors.numpy


class Child:
    """A process that calls one function.

    Args:
        number: process ID.
        result: file for the result.
    """

    def __init__(self, number: int, result: Path) -> None:
        self._number = number
        self._result = result

    def kill(self) -> None:
        """Send SIGKILL, and wait for the end."""
        os.kill(self._number, signal.SIGKILL)
        self.wait()

    def wait(self) -> str:
        """Return the result of the function, or `CRASH` with a signal or a traceback."""
        _, status = os.waitpid(self._number, 0)
        text = self._result.read_text()
        self._result.unlink()
        if os.WIFSIGNALED(status):
            return f"CRASH {signal.Signals(os.WTERMSIG(status)).name}"
        return text


def start(function: Callable[[], str], *, seconds: int = 60, memory: int | None = None) -> Child:
    """Call a function in a new process.

    Args:
        function: function that returns one line of text.
        seconds: time limit, set by SIGALRM. Default: 60.
        memory: number of bytes that the function may allocate. Default: no limit.
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
        text = function()
    except BaseException:
        text = "CRASH " + traceback.format_exc().replace("\n", " | ")
    Path(name).write_text(text)
    os._exit(0)  # skips the exit handlers of the parent


def outcome(function: Callable[[], str], *, seconds: int = 60, memory: int | None = None) -> str:
    """Call a function in a new process, and return its result; see `start` and `Child.wait`."""
    return start(function, seconds=seconds, memory=memory).wait()
