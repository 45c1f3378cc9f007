"""A training that runs in the background, as its owner sees it."""

from __future__ import annotations

import contextlib
import os
import sys
import threading
from collections.abc import Callable

from ...errors import TrainingError
from ..results.records import History
from .control import Control

__all__ = ["Training"]


_NICENESS = 5  # with more, its thread may be kept from the processor while it holds Python's lock


class Training:
    """What `PersonalModel.start_training` hands back; every method may be called from any thread.

    Args:
        work: does it all, asking `control` before each step.
        control: pauses and stops it.
    """

    def __init__(self, work: Callable[[], History], control: Control) -> None:
        self._work = work
        self._control = control
        self._ended = threading.Event()
        self._thread: threading.Thread | None = None
        self._history: History | None = None
        self._error: BaseException | None = None

    @property
    def running(self) -> bool:
        """Whether it has not ended; a training that pauses has not."""
        return not self._ended.is_set()

    @property
    def paused(self) -> bool:
        """Whether it waits for `resume`."""
        return self.running and self._control.paused

    def pause(self) -> None:
        """Let it wait before its next step. Predictions go on."""
        self._control.pause()

    def resume(self) -> None:
        """Let it go on after `pause`."""
        self._control.resume()

    def stop(self) -> None:
        """Let it end after its present step; what it has learned by then stays, if it is better."""
        self._control.stop()

    def wait(self, timeout: float | None = None) -> History:
        """Wait for its end.

        Args:
            timeout: seconds to wait at most; None waits as long as it takes.

        Returns:
            What was done.

        Raises:
            TimeoutError: it has not ended; it goes on.
            TrainingError: the loss was no longer finite; the weights are those of before.
            Exception: what the callback has raised.
        """
        self._check_not_here()
        if not self._ended.wait(timeout):
            raise TimeoutError(f"the training has not ended after {timeout} s")
        if self._error is not None:
            raise self._error
        if self._history is None:
            raise TrainingError("the training ended without a result")
        return self._history

    def start(self, background: bool) -> Training:
        """Do the work in a thread of its own.

        Args:
            background: other threads go first where the processor is busy.
        """
        thread = threading.Thread(
            target=self._run, args=(background,), name="sartor-training", daemon=True
        )
        thread.start()
        return self

    def settle(self) -> None:
        """Stop it and wait for its end, whatever came of it."""
        self._check_not_here()
        self.stop()
        self._ended.wait()

    def _check_not_here(self) -> None:
        if self.running and self._thread is threading.current_thread():
            raise TrainingError(
                "a training cannot wait for its own end: a callback ends it by returning False"
            )

    def _run(self, background: bool) -> None:
        self._thread = threading.current_thread()
        if background:
            _let_others_go_first()
        try:
            self._history = self._work()
        except BaseException as error:
            self._error = error
        finally:
            self._ended.set()


def _let_others_go_first() -> None:
    """On Linux and Android each thread has a niceness of its own; elsewhere nothing is done."""
    if sys.platform in ("linux", "android"):
        thread = threading.get_native_id()
        with contextlib.suppress(OSError):  # a sandbox may refuse
            present = os.getpriority(os.PRIO_PROCESS, thread)
            os.setpriority(os.PRIO_PROCESS, thread, present + _NICENESS)
