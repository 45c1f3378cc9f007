"""Try a model in another process, so that a crash or a hang of LiteRT becomes a message.

`convert`, `sartor verify` and `sartor import` try each model before this process runs it. Opening a
personalizable file does not: its digest shows that it is the file that was tried.
"""

from __future__ import annotations

import atexit
import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

from ..errors import InvalidModelError
from . import shapes

__all__ = ["ENDED", "HANGS", "compute_shapes", "start_worker", "try_model"]

_CRASHES = "LiteRT crashes"
HANGS = "LiteRT does not finish"
"""The first words of the message about a process that took too long."""

ENDED = (_CRASHES, HANGS)
"""The first words of the messages about a process that had to be ended."""

_SECONDS = 120.0
_PROGRAM = "import sys; sys.path[:0] = sys.argv[1:]; from sartor.litert.worker import main; main()"


def try_model(content: bytes, *, reference: bytes = b"", seconds: float = _SECONDS) -> str | None:
    """Run every signature of a model in another process, on random inputs.

    The process is kept for the next trial.

    Args:
        content: a `.tflite` file.
        reference: the same model with another batch size. For the same first sample both must
            return the same outputs. Default: empty, for none.
        seconds: time limit of the trial. Default: 120.

    Returns:
        Why LiteRT cannot run the model, or None if it can. None too if no process can be started.
    """
    reply = _ask("try", [content, reference], seconds)
    return None if reply is None else reply[0]


def compute_shapes(content: bytes) -> list[shapes.Shapes]:
    """Return the shapes of `sartor.litert.shapes.compute_shapes`, computed in another process."""
    reply = _ask("shapes", [content], _SECONDS)
    if reply is None:
        return shapes.compute_shapes(content)
    error, graphs = reply
    if error is not None:
        raise InvalidModelError(error)
    return [{index: tuple(shape) for index, shape in graph} for graph in graphs]


def _ask(task: str, models: list[bytes], seconds: float) -> tuple[str | None, Any] | None:
    """Return error and result of a task; None if no process can be started."""
    with _LOCK:
        for _ in range(2):  # the first process may have ended since the last task
            worker = _worker()
            if worker is None:
                return None
            error, result = worker.ask(task, models, seconds)
            if worker.is_alive or error is None or "crashes" not in error:
                break
        return error, result


def start_worker() -> None:
    """Start the process, so that it is ready for the first trial."""
    with _LOCK:
        _worker()


class _Worker:
    """The other process. It ends with this one.

    Raises:
        OSError: If no process can be started.
    """

    def __init__(self) -> None:
        self.owner = os.getpid()  # a fork of this process needs a worker of its own
        self._process = subprocess.Popen(
            [sys.executable, "-c", _PROGRAM, str(Path(__file__).parents[2])],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={**os.environ, "OPENBLAS_NUM_THREADS": "1"},
        )

    @property
    def is_alive(self) -> bool:
        return self._process.poll() is None

    def ask(self, task: str, models: list[bytes], seconds: float) -> tuple[str | None, Any]:
        """Return error and result of a task; see `sartor.litert.worker`."""
        timer = threading.Timer(seconds, self._process.kill)
        timer.start()
        try:
            reply = self._exchange(task.encode(), *models)
        except BaseException:  # an interrupt: the next reply would be that of this model
            self.stop()
            raise
        finally:
            is_late = not timer.is_alive()
            timer.cancel()
        if reply is not None:
            error, result = json.loads(reply)
            return error or None, result
        status = self._process.wait()
        if is_late:
            return f"{HANGS} within {seconds:g} s", None
        return f"{_CRASHES} ({_describe(status)})", None

    def stop(self) -> None:
        self._process.kill()
        self._process.wait()

    def _exchange(self, *request: bytes) -> bytes | None:
        """Return the reply; None if the process ends."""
        stdin, stdout = self._process.stdin, self._process.stdout
        assert stdin is not None
        assert stdout is not None
        try:
            for part in request:
                stdin.write(len(part).to_bytes(8, "little") + part)
            stdin.flush()
            size = stdout.read(8)
            reply = stdout.read(int.from_bytes(size, "little"))
        except OSError:
            return None
        return reply if len(size) == 8 else None


_LOCK = threading.Lock()
_WORKER: _Worker | None = None


def _worker() -> _Worker | None:
    """Return the process of this process; start it if there is none."""
    global _WORKER
    if _WORKER is None or _WORKER.owner != os.getpid() or not _WORKER.is_alive:
        try:
            _WORKER = _Worker()
        except OSError:
            return None
    return _WORKER


@atexit.register
def _stop() -> None:
    if _WORKER is not None and _WORKER.owner == os.getpid():
        _WORKER.stop()


def _describe(status: int) -> str:
    with contextlib.suppress(ValueError):
        return signal.Signals(-status).name
    return f"exit status {status}"
