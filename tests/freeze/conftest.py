"""Tools from other packages: a missing tool fails in CI and skips the test elsewhere."""

from __future__ import annotations

import os
from importlib import import_module
from typing import Any

import pytest


def _import_tool(module: str, extra: str) -> Any:
    try:
        return import_module(module)
    except ImportError as error:
        message = f"{error}: pip install 'sartor[{extra}]'"
        if "CI" in os.environ:
            pytest.fail(message)
        pytest.skip(message)


@pytest.fixture(scope="session")
def mediapipe() -> Any:
    """Return MediaPipe, which opens frozen files."""
    return _import_tool("mediapipe", "interop")


@pytest.fixture(scope="session")
def micro() -> Any:
    """Return the interpreter of TFLite Micro."""
    return _import_tool("tflite_micro", "interop").runtime.Interpreter


@pytest.fixture(scope="session")
def quantizer() -> Any:
    """Return ai-edge-quantizer."""
    return _import_tool("ai_edge_quantizer", "quantize")
