"""Suppress LiteRT's log messages. LiteRT writes them to stderr and has no switch for them."""

from __future__ import annotations

import contextlib
import os
import sys
import tempfile
import threading
from collections.abc import Iterator

__all__ = ["silence_logs"]

_LOCK = threading.RLock()  # stderr belongs to the whole process; calls may nest
_LOG_PREFIXES = (b"INFO:", b"WARNING:", b"VERBOSE:")


@contextlib.contextmanager
def silence_logs() -> Iterator[None]:
    """Remove LiteRT's log messages from stderr while the block runs.

    Other lines written to stderr appear when the block ends. Without a usable stderr nothing is
    suppressed.
    """
    with _LOCK, contextlib.ExitStack() as stack:
        try:
            stderr = os.dup(2)
            stack.callback(os.close, stderr)
            buffer = stack.enter_context(tempfile.TemporaryFile())
        except OSError:
            yield
            return
        if sys.stderr is not None:
            sys.stderr.flush()
        os.dup2(buffer.fileno(), 2)
        try:
            yield
        finally:
            os.dup2(stderr, 2)
            buffer.seek(0)
            for line in buffer.readlines():
                if not line.startswith(_LOG_PREFIXES):
                    os.write(2, line)
