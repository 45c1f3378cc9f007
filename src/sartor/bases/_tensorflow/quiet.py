"""Suppress the log messages that TensorFlow writes to stderr from C++ and Python."""

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

_LOCK = threading.RLock()  # stderr belongs to the whole process
_LOGGERS = ("absl", "tensorflow")


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Suppress warnings and the stderr output of native code while the block runs.

    Output of Python to `sys.stderr`, such as a progress bar, appears. Calls may nest.
    """
    with _LOCK, contextlib.ExitStack() as stack:
        stack.enter_context(warnings.catch_warnings())
        warnings.simplefilter("ignore")
        for name in _LOGGERS:
            if name in logging.root.manager.loggerDict:  # absl creates its own class
                logger = logging.getLogger(name)
                stack.callback(logger.setLevel, logger.level)
                logger.setLevel(logging.ERROR)
        with contextlib.suppress(OSError):
            _redirect(stack)
        yield


def _redirect(stack: contextlib.ExitStack) -> None:
    """Redirect file descriptor 2 to nowhere, and `sys.stderr` to its original target."""
    stderr = os.dup(2)
    stack.callback(os.close, stderr)
    if _is_stderr():
        own = sys.stderr
        own.flush()
        direct = _Stream(os.fdopen(stderr, "w", 1, encoding=own.encoding, closefd=False))
        stack.callback(setattr, direct, "stream", own)
        stack.enter_context(contextlib.redirect_stderr(direct))
    nowhere = os.open(os.devnull, os.O_WRONLY)
    stack.callback(os.close, nowhere)
    stack.callback(os.dup2, stderr, 2)
    os.dup2(nowhere, 2)


class _Stream(io.TextIOBase):
    """Writes to another stream, which can be replaced: loggers created meanwhile keep this one."""

    def __init__(self, stream: TextIO) -> None:
        self.stream = stream

    @property
    def encoding(self) -> str:  # type: ignore[override] # it is never set
        return self.stream.encoding

    def write(self, text: str) -> int:
        return self.stream.write(text)

    def flush(self) -> None:
        self.stream.flush()

    def isatty(self) -> bool:
        return self.stream.isatty()

    def fileno(self) -> int:
        return self.stream.fileno()


def _is_stderr() -> bool:
    """Return whether `sys.stderr` writes to file descriptor 2."""
    try:
        return sys.stderr is not None and sys.stderr.fileno() == 2
    except (OSError, ValueError, AttributeError):
        return False
