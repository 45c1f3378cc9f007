"""A head that no device can hold is refused before its variables take memory."""

from __future__ import annotations

import pytest

import sartor
from sartor.errors import ConversionError


def test_a_head_with_too_many_variables_is_refused(
    tiny_base: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sartor.passes.plan._LARGEST", 1 << 20)
    sartor.convert(tiny_base, classes=1000)
    with pytest.raises(ConversionError, match=r"take \d+ MB, expected at most 1: choose features"):
        sartor.convert(tiny_base, classes=20_000)
