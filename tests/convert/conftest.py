"""Fixtures of the tests of `convert`."""

from __future__ import annotations

import pytest
from metadata_base import IMAGE, NAMES, base_with_metadata

import sartor
from sartor import PersonalizableModel


@pytest.fixture(scope="module")
def conversion() -> PersonalizableModel:
    """Return a conversion of a base with metadata: 3 classes, a capacity of 5."""
    return sartor.convert(base_with_metadata(IMAGE), classes=NAMES, capacity=5)
