"""Where PyTorch is not installed these tests do not run, and that is said."""

from __future__ import annotations

import importlib.util

import pytest

INSTALLED = importlib.util.find_spec("litert_torch") is not None
NEEDED = "litert-torch is not installed"


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if not INSTALLED:
        terminalreporter.section("NOT RUN: tests of PyTorch as a base", "!")
        terminalreporter.line(f"{NEEDED} (7 GB): `make test-torch` does it, and runs them")
