"""Checks of the arguments that users pass: a wrong type is an error of Sartor."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable
from numbers import Integral, Real  # also numbers of NumPy, which no command imports at its start
from pathlib import Path

from .errors import DataError, SartorError

__all__ = ["as_path", "check_flag", "check_integer", "check_list", "check_number"]


def as_path(value: object, name: str, error: type[SartorError] = DataError) -> Path:
    """Return an argument as a path.

    Args:
        value: argument of a user.
        name: name of the argument, for the message.
        error: type of the error. Default: DataError.

    Raises:
        SartorError: If it is not a path, is empty, or contains a NUL.
    """
    text = os.fspath(value) if isinstance(value, str | os.PathLike) else value
    if not isinstance(text, str) or not text:
        raise error(f"{name} must be a path; got {_shorten(value)}")
    if "\0" in text:
        raise error(f"{name} must be a path, without a NUL character; got {text!r}")
    return Path(text)


def check_integer(
    value: object,
    name: str,
    least: int,
    most: int | None = None,
    *,
    error: type[SartorError] = DataError,
) -> None:
    """Check that an argument is an integer in a range.

    Args:
        value: argument of a user.
        name: name of the argument, for the message.
        least: smallest value.
        most: largest value. Default: no limit.
        error: type of the error. Default: DataError.

    Raises:
        SartorError: If it is not.
    """
    limits = f"at least {least}" if most is None else f"between {least} and {most}"
    if not isinstance(value, Integral) or isinstance(value, bool):
        raise error(f"{name} must be an integer {limits}, got {_shorten(value)}")
    if int(value) < least or (most is not None and int(value) > most):
        raise error(f"{name} must be {limits}, got {_shorten(value)}")


def check_number(value: object, name: str, *, error: type[SartorError] = DataError) -> None:
    """Check that an argument is a number that float can represent, or NaN.

    Args:
        value: argument of a user.
        name: name of the argument, for the message.
        error: type of the error. Default: DataError.

    Raises:
        SartorError: If it is not.
    """
    if isinstance(value, Real) and not isinstance(value, bool):
        with contextlib.suppress(OverflowError):
            float(value)
            return
    raise error(f"{name} must be a number, got {_shorten(value)}")


def check_flag(value: object, name: str, *, error: type[SartorError] = DataError) -> None:
    """Check that an argument is True or False."""
    if not isinstance(value, bool) and type(value).__name__ not in ("bool", "bool_"):  # NumPy
        raise error(f"{name} must be True or False, got {_shorten(value)}")


def check_list(values: object, expected: str) -> None:
    """Raise DataError unless a value can be iterated, and is not a single text."""
    is_scalar = getattr(values, "ndim", 1) == 0
    if is_scalar or isinstance(values, str | bytes) or not isinstance(values, Iterable):
        raise DataError(f"expected {expected}; got {_shorten(values)}")


def _shorten(value: object) -> str:
    try:
        text = repr(value)
    except ValueError:  # an integer with too many digits
        text = type(value).__name__
    return text if len(text) <= 80 else f"{text[:79]}…"
