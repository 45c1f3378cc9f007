"""The result of a verification."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Check", "Report"]


@dataclass(frozen=True)
class Check:
    """One property that the contract requires.

    Attributes:
        name: the property.
        passed: whether the file has it.
        detail: the measured value, or the reason of the failure.
    """

    name: str
    passed: bool
    detail: str


@dataclass(frozen=True)
class Report:
    """All checks of one file.

    Attributes:
        checks: the checks, in execution order.
    """

    checks: tuple[Check, ...]

    @property
    def passed(self) -> bool:
        """Whether every check passed."""
        return all(check.passed for check in self.checks)

    @property
    def failures(self) -> tuple[Check, ...]:
        """The checks that failed."""
        return tuple(check for check in self.checks if not check.passed)
