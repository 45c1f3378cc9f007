"""What a verification found."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Check", "Report"]


@dataclass(frozen=True)
class Check:
    """One promise of the contract, held or broken.

    Attributes:
        name: the promise, in words.
        passed: whether it was kept.
        detail: what was measured, or what is wrong.
    """

    name: str
    passed: bool
    detail: str


@dataclass(frozen=True)
class Report:
    """All checks of one file.

    Attributes:
        checks: in the order they ran.
    """

    checks: tuple[Check, ...]

    @property
    def passed(self) -> bool:
        """True when every promise was kept."""
        return all(check.passed for check in self.checks)

    @property
    def failures(self) -> tuple[Check, ...]:
        """The promises that were broken."""
        return tuple(check for check in self.checks if not check.passed)
