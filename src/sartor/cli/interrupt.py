"""Ctrl-C and SIGTERM end a command cleanly, with the exit code that a shell expects."""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Callable, Iterable, Iterator
from types import FrameType

__all__ = [
    "Stop",
    "TerminatedError",
    "describe_signal",
    "exit_code",
    "stop_on_signal",
    "terminable",
]

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


class TerminatedError(KeyboardInterrupt):
    """SIGTERM was received: the command ends as after Ctrl-C."""


class Stop:
    """The first signal that `stop_on_signal` received.

    Attributes:
        number: the signal, or None.
    """

    number: int | None = None


def describe_signal(number: int) -> str:
    """Return the name of a signal for messages."""
    return "Ctrl-C" if number == signal.SIGINT else "SIGTERM"


def exit_code(number: int) -> int:
    """Return the exit code with which a shell reports a signal."""
    return 128 + number


@contextlib.contextmanager
def terminable() -> Iterator[None]:
    """Raise TerminatedError in the block when SIGTERM is received."""

    def stop(number: int, frame: FrameType | None) -> None:
        raise TerminatedError

    with _handling([signal.SIGTERM], stop):
        yield


@contextlib.contextmanager
def stop_on_signal(stop: Callable[[], None]) -> Iterator[Stop]:
    """Call `stop` at the first Ctrl-C or SIGTERM in the block; a second one ends the command."""
    received = Stop()
    with contextlib.ExitStack() as stack:

        def handle(number: int, frame: FrameType | None) -> None:
            received.number = number
            stack.close()
            stop()

        stack.enter_context(_handling(_SIGNALS, handle))
        yield received


@contextlib.contextmanager
def _handling(
    numbers: Iterable[signal.Signals],
    handler: Callable[[int, FrameType | None], None],
) -> Iterator[None]:
    """Install a handler of signals that are not ignored; only the main thread can do so."""
    before = {}
    if threading.current_thread() is threading.main_thread():
        before = {number: signal.getsignal(number) for number in numbers}
    active = [number for number, handle in before.items() if handle != signal.SIG_IGN]
    for number in active:
        signal.signal(number, handler)
    try:
        yield
    finally:
        for number in active:
            signal.signal(number, before[number])
