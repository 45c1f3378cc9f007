"""Fixtures of the tests of `sartor.testing`."""

from __future__ import annotations

import pytest
from verifier_helpers import convert_base

from sartor import PersonalizableModel


@pytest.fixture(scope="module")
def conversion(tiny_base: bytes) -> PersonalizableModel:
    """Return a correct personalizable file."""
    return convert_base(tiny_base)
