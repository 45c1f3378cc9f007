"""The command line: parse, call the library, print. Each command loads what it needs when run."""

from .app import main

__all__ = ["main"]
