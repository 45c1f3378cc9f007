"""Compare values, and return the comparison as a check."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

from .report import Check
from .session import Variables

__all__ = ["TOLERANCE", "check_close", "check_equal", "select", "without"]

TOLERANCE = 1e-4
"""Largest absolute difference between two losses or outputs that must be equal."""


def check_equal(name: str, actual: Variables, expected: Variables) -> Check:
    """Check that all expected variables have equal bits."""
    different = [
        key
        for key, value in expected.items()
        if key not in actual or not np.array_equal(actual[key], value)
    ]
    return Check(name, not different, ", ".join(different) or f"{len(expected)} variables")


def check_close(name: str, actual: npt.ArrayLike, expected: npt.ArrayLike) -> Check:
    """Check that values differ by at most `TOLERANCE`."""
    difference = float(np.abs(np.asarray(actual) - np.asarray(expected)).max())
    return Check(name, difference <= TOLERANCE, f"difference {difference:.1e}")


def select(variables: Variables, names: Iterable[str]) -> Variables:
    """Return the variables with these names."""
    return {name: variables[name] for name in names}


def without(variables: Variables, names: Iterable[str]) -> Variables:
    """Return the variables with other names than these."""
    excluded = set(names)
    return {name: value for name, value in variables.items() if name not in excluded}
