"""The reason for which these tests are skipped; `tests/skipped.py` reports it."""

from __future__ import annotations

NEEDED = "litert-torch is not installed"
