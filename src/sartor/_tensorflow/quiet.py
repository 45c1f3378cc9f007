"""TensorFlow tells a lot on stderr, from C++ and from Python, that no user has asked for."""

from __future__ import annotations

import contextlib
import io
import logging
import os
import sys
import threading
import warnings
from collections.abc import Iterator
from typing import TextIO

__all__ = ["quiet"]

_REDIRECTING = threading.RLock()  # stderr is the process's
_LOGGERS = ("absl", "tensorflow")


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Keep what native code writes to stderr, and warnings, from the user; may be nested.

    What Python writes to `sys.stderr`, such as a bar of progress, comes on.
    """
    with _REDIRECTING, contextlib.ExitStack() as stack:
        stack.enter_context(warnings.catch_warnings())
        warnings.simplefilter("ignore")
        for name in _LOGGERS:
            if name in logging.root.manager.loggerDict:  # absl wants to make its own
                logger = logging.getLogger(name)
                stack.callback(logger.setLevel, logger.level)
                logger.setLevel(logging.ERROR)
        with contextlib.suppress(OSError):
            _redirect(stack)
        yield


def _redirect(stack: contextlib.ExitStack) -> None:
    """Let the descriptor lead nowhere, and `sys.stderr` where it led."""
    kept = os.dup(2)
    stack.callback(os.close, kept)
    if _leads_there():
        own = sys.stderr
        own.flush()
        direct = _Stream(os.fdopen(kept, "w", 1, encoding=own.encoding, closefd=False))
        stack.callback(setattr, direct, "stream", own)
        stack.enter_context(contextlib.redirect_stderr(direct))
    nowhere = os.open(os.devnull, os.O_WRONLY)
    stack.callback(os.close, nowhere)
    stack.callback(os.dup2, kept, 2)
    os.dup2(nowhere, 2)


class _Stream(io.TextIOBase):
    """Writes to another stream, which may change: loggers made meanwhile keep this one."""

    def __init__(self, stream: TextIO) -> None:
        self.stream = stream

    @property
    def encoding(self) -> str:  # type: ignore[override] # no one sets it
        return self.stream.encoding

    def write(self, text: str) -> int:
        return self.stream.write(text)

    def flush(self) -> None:
        self.stream.flush()

    def isatty(self) -> bool:
        return self.stream.isatty()

    def fileno(self) -> int:
        return self.stream.fileno()


def _leads_there() -> bool:
    """Whether `sys.stderr` is a file, and writes to the process's descriptor."""
    try:
        return sys.stderr is not None and sys.stderr.fileno() == 2
    except (OSError, ValueError, AttributeError):
        return False
