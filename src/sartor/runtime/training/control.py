"""Control of a running training: pause, resume, stop and a time limit."""

from __future__ import annotations

import math
import threading
import time

__all__ = ["Control"]


class Control:
    """Pauses and stops a training, from any thread.

    Args:
        seconds: time limit of the training, in seconds; pauses do not count. Default: no limit.
    """

    def __init__(self, seconds: float | None = None) -> None:
        self.seconds = seconds
        self._stopped = threading.Event()
        self._running = threading.Event()
        self._running.set()
        self._limit = math.inf if seconds is None else seconds
        self._start = time.monotonic()  # a change of the system time does not affect it
        self._paused = 0.0

    @property
    def stopped(self) -> bool:
        """Whether `stop` was called."""
        return self._stopped.is_set()

    @property
    def paused(self) -> bool:
        """Whether the training waits for `resume`."""
        return not self._running.is_set()

    @property
    def elapsed(self) -> float:
        """Time since the start, in seconds, without pauses."""
        return time.monotonic() - self._start - self._paused

    @property
    def used(self) -> float:
        """Used fraction of the time limit, 0 to 1; 0 if there is no limit."""
        return 0.0 if self.seconds is None else min(1.0, self.elapsed / self.seconds)

    def stop(self) -> None:
        """End the training before its next step, even if it is paused."""
        self._stopped.set()
        self._running.set()

    def pause(self) -> None:
        """Pause before the next step."""
        if not self.stopped:
            self._running.clear()

    def resume(self) -> None:
        """Continue after `pause`."""
        self._running.set()

    @property
    def expired(self) -> bool:
        """Whether the time limit has passed."""
        return self.elapsed >= self._limit

    def limited(self) -> Control:
        """Return a control for further work, paused and stopped together with this one.

        The work has the same time limit again, but its learning rate does not depend on the time.
        """
        control = Control()
        control._stopped, control._running = self._stopped, self._running
        control._limit = self._limit
        return control

    def wait(self) -> bool:
        """Wait while the training is paused, and return whether it continues."""
        if self.paused:
            start = time.monotonic()
            self._running.wait()
            self._paused += time.monotonic() - start
        if self._limit == math.inf:
            return not self._stopped.is_set()
        return not self.stopped and not self.expired
