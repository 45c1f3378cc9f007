"""Values of options that are lists of numbers."""

from __future__ import annotations

import typer

__all__ = ["parse_integers", "parse_numbers"]


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
