"""Tools that must be there in CI, and elsewhere are said to be missing."""

from __future__ import annotations

import os
from importlib import import_module
from typing import Any

import pytest


def _needed(module: str, extra: str) -> Any:
    try:
        return import_module(module)
    except ImportError as error:
        message = f"{error}: pip install 'sartor[{extra}]'"
        if "CI" in os.environ:
            pytest.fail(message)
        pytest.skip(message)


@pytest.fixture(scope="session")
def mediapipe() -> Any:
    """MediaPipe, which opens what was frozen."""
    return _needed("mediapipe", "interop")


@pytest.fixture(scope="session")
def micro() -> Any:
    """TFLite Micro's interpreter."""
    return _needed("tflite_micro", "interop").runtime.Interpreter


@pytest.fixture(scope="session")
def quantizer() -> Any:
    """ai-edge-quantizer."""
    return _needed("ai_edge_quantizer", "quantize")
