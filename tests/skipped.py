"""Report of the skipped tests. In CI, a test that is skipped for another reason fails the run."""

from __future__ import annotations

import os
from collections import Counter

import pytest

BY_DESIGN = {
    "litert-torch": "PyTorch takes 7 GB: `make test-torch` installs it and runs these tests",
    "shared": "real models and photos are not in the repository: put them into ../shared",
}
"""Part of a skip reason → why these tests are skipped, and how to run them."""

_REMEDIES = {
    "tensorflow": "run `make test`, which installs it",
    "ai_edge_quantizer": "run `make test`, which installs it",
    "sartor[": "run `make test`, which installs it",
    "C compiler": "apt-get install gcc libc6-dev",
    "GLES": "apt-get install libegl1 libgles2",
}


class SkippedTests:
    """A pytest plugin that counts the reasons of skipped tests and modules."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if not hasattr(report, "wasxfail"):
            self._count(report)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        self._count(report)

    def unexpected(self) -> list[str]:
        """Return the reasons that are not by design."""
        return [reason for reason in self.counts if _lookup(BY_DESIGN, reason) is None]

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        if os.environ.get("CI") and self.unexpected():
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        if not self.counts:
            return
        failed = bool(os.environ.get("CI") and self.unexpected())
        title = "FAILED: CI skips no test" if failed else "NOT RUN: skipped tests and modules"
        terminalreporter.section(title, "!", red=failed)
        for reason, count in sorted(self.counts.items()):
            terminalreporter.line(f"{count} skipped: {reason}")
            remedy = _lookup(BY_DESIGN | _REMEDIES, reason)
            if remedy is not None:
                terminalreporter.line(f"    {remedy}")

    def _count(self, report: pytest.TestReport | pytest.CollectReport) -> None:
        if report.skipped and isinstance(report.longrepr, tuple):
            self.counts[report.longrepr[2].removeprefix("Skipped: ")] += 1


def pytest_configure(config: pytest.Config) -> None:
    """Register the plugin."""
    config.pluginmanager.register(SkippedTests(), "skipped-tests")


def _lookup(table: dict[str, str], reason: str) -> str | None:
    return next((text for part, text in table.items() if part in reason), None)
