"""The reason for skipping these tests; `tests/skipped.py` reports it."""

from __future__ import annotations

NEEDED = "litert-torch is not installed"
