"""LiteRT tells on stderr what it creates, and has no switch for it."""

from __future__ import annotations

import contextlib
import os
import sys
import tempfile
import threading
from collections.abc import Iterator

__all__ = ["silence_logs"]

_REDIRECTING = threading.RLock()  # stderr is the process's; a verifier nests
_CHATTER = (b"INFO:", b"WARNING:", b"VERBOSE:")


@contextlib.contextmanager
def silence_logs() -> Iterator[None]:
    """Keep LiteRT's notes on what it has created off stderr; what else is written there comes on.

    Nothing is kept back where there is no stderr to speak of.
    """
    with _REDIRECTING, contextlib.ExitStack() as stack:
        try:
            kept = os.dup(2)
            stack.callback(os.close, kept)
            caught = stack.enter_context(tempfile.TemporaryFile())
        except OSError:
            yield
            return
        if sys.stderr is not None:
            sys.stderr.flush()
        os.dup2(caught.fileno(), 2)
        try:
            yield
        finally:
            os.dup2(kept, 2)
            caught.seek(0)
            for line in caught.readlines():
                if not line.startswith(_CHATTER):
                    os.write(2, line)
