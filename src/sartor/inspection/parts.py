"""Describe the parts of a model, one by one."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from ..errors import SartorError

__all__ = ["UNREADABLE", "Parts"]

T = TypeVar("T")

UNREADABLE = (SartorError, ArithmeticError, LookupError, TypeError, ValueError)
"""Errors of shapes and options that Sartor cannot interpret."""


class Parts:
    """The parts of a description.

    Attributes:
        errors: name of a part that cannot be described → reason.
    """

    def __init__(self) -> None:
        self.errors: dict[str, str] = {}

    def read(self, name: str, describe: Callable[[], T], default: T) -> T:
        """Return the description of a part, or the default if it cannot be described."""
        try:
            return describe()
        except UNREADABLE as error:
            self.errors[name] = str(error) or type(error).__name__
            return default
