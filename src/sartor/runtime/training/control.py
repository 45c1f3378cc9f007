"""What runs a training from outside: pause, resume, stop, and a limit of time."""

from __future__ import annotations

import threading
import time

__all__ = ["Control"]


class Control:
    """Asked before each step, set from any thread.

    Args:
        seconds: after this time, pauses not counted, the training is over.
    """

    def __init__(self, seconds: float | None = None) -> None:
        self.seconds = seconds
        self._stopped = threading.Event()
        self._running = threading.Event()
        self._running.set()
        self._start = time.monotonic()  # a clock that nobody sets
        self._paused = 0.0

    @property
    def stopped(self) -> bool:
        """Whether it was asked to stop."""
        return self._stopped.is_set()

    @property
    def paused(self) -> bool:
        """Whether it waits for `resume`."""
        return not self._running.is_set()

    @property
    def elapsed(self) -> float:
        """Seconds since the start, pauses not counted."""
        return time.monotonic() - self._start - self._paused

    @property
    def used(self) -> float:
        """The part of its time that is over, 0…1; 0 where there is no limit."""
        return 0.0 if self.seconds is None else min(1.0, self.elapsed / self.seconds)

    def stop(self) -> None:
        """End it before the next step, also where it is paused."""
        self._stopped.set()
        self._running.set()

    def pause(self) -> None:
        """Let it wait before the next step."""
        if not self.stopped:
            self._running.clear()

    def resume(self) -> None:
        """Let it go on."""
        self._running.set()

    def go_on(self) -> bool:
        """Wait while it is paused; whether there is to be another step."""
        if self.paused:
            start = time.monotonic()
            self._running.wait()
            self._paused += time.monotonic() - start
        return not self.stopped and self.used < 1
