"""Values of options that are numbers, lists of numbers, or names."""

from __future__ import annotations

import math
import re

import typer

__all__ = ["parse_bytes", "parse_classes", "parse_integers", "parse_numbers"]

_UNITS = {"": 1, "b": 1, "kb": 10**3, "mb": 10**6, "gb": 10**9}
_ONE_NAME = ("multi-label", "regression")  # heads for which a single name makes sense


def parse_numbers(option: str, text: str | None) -> list[float] | None:
    """Return the numbers of `1,2.5,3`; None for None.

    Args:
        option: name of the option, for messages.
        text: value of the option.
    """
    try:
        return None if text is None else [float(part) for part in text.split(",")]
    except ValueError:
        raise typer.BadParameter(
            f"expected numbers such as 0.5 or 1,2,3; got {text!r}", param_hint=option
        ) from None


def parse_bytes(option: str, text: str | None) -> int | None:
    """Return the bytes of `64MB`, `1.5 GB` or `500000`; None for None.

    Args:
        option: name of the option, for messages.
        text: value of the option.
    """
    if text is None:
        return None
    match = re.fullmatch(r"([0-9.]+) *([a-z]*)", text.strip().lower())
    number = None if match is None else _number(match[1])
    if match is None or number is None or match[2] not in _UNITS:
        raise typer.BadParameter(
            f"expected a number of bytes such as 500kB, 64MB or 1.5GB; got {text!r}",
            param_hint=option,
        )
    return int(number * _UNITS[match[2]])


def parse_integers(option: str, text: str) -> tuple[int, ...]:
    """Return the integers of `96,96,3`.

    Args:
        option: name of the option, for messages.
        text: value of the option.
    """
    try:
        return tuple(int(part) for part in text.split(","))
    except ValueError:
        raise typer.BadParameter(
            f"expected integers such as 64 or 96,96,3; got {text!r}", param_hint=option
        ) from None


def parse_classes(text: str, capacity: int | None, head: str) -> int | list[str]:
    """Return the number of `10`, or the names of `hat,shoes`.

    Args:
        text: value of `--classes`.
        capacity: value of `--capacity`.
        head: value of `--head`.
    """
    number = _number(text)
    if number is not None:
        if number >= 1 and number == int(number):
            return int(number)
        raise _unexpected_classes(text)
    names = text.split(",")
    if len(names) == 1 and capacity is None and head not in _ONE_NAME:
        raise _unexpected_classes(text)
    return names


def _unexpected_classes(text: str) -> typer.BadParameter:
    return typer.BadParameter(
        f"expected the number of classes, such as 10, or names such as hat,shoes; got {text!r}",
        param_hint="--classes",
    )


def _number(text: str) -> float | None:
    """Return a number; None for other texts."""
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) else None
