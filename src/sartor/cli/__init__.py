"""The command line: parse options, call the library, print. Commands import what they need late."""

from .app import main

__all__ = ["main"]
