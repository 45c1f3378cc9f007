"""TensorFlow itself, imported when it is first needed."""

from __future__ import annotations

from typing import Any

from ..errors import ConversionError
from .quiet import quiet

__all__ = ["INSTALL", "tensorflow"]

INSTALL = "pip install 'sartor[tensorflow]'"
"""What to run where it is missing."""


def tensorflow(what: str) -> Any:
    """The module.

    Args:
        what: is made with it, as a message starts: "model.keras", "bases.MobileNetV2".

    Raises:
        ConversionError: it is not installed, or Keras computes with another framework.
    """
    try:
        with quiet():
            import tensorflow
    except ImportError as error:
        raise ConversionError(
            f"{what} is converted by TensorFlow, which is not installed: {INSTALL}"
        ) from error
    backend = _backend(tensorflow)
    if backend != "tensorflow":
        raise ConversionError(
            f"{what} is converted by TensorFlow, but Keras computes with {backend} here: set the "
            "environment variable KERAS_BACKEND=tensorflow, and load the model from its file"
        )
    return tensorflow


def _backend(tensorflow: Any) -> str:
    return str(tensorflow.keras.backend.backend())
