"""The command line: parse options, call the library, print. Commands import what they need late."""

from __future__ import annotations

TYPE_CHECKING = False  # typing takes longer to import than this module: Ctrl-C would meet it
if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["main"]


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line.

    Args:
        arguments: command-line arguments. Default: those of the program.

    Raises:
        SystemExit: Always. Code 0: success; 1: failure, with one line on stderr; 2: wrong
            arguments; 130: stopped by Ctrl-C; 143: stopped by SIGTERM.
    """
    try:
        from .app import run

        run(arguments)
    except KeyboardInterrupt:  # before the command starts; each command handles its own
        import sys

        sys.stderr.write("error: stopped by Ctrl-C; no result was written\n")
        raise SystemExit(130) from None
