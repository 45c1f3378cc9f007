"""Import TensorFlow when it is needed."""

from __future__ import annotations

from typing import Any

from ...errors import ConversionError
from .quiet import quiet

__all__ = ["INSTALL", "tensorflow"]

INSTALL = "pip install 'sartor[tensorflow]'"
"""The command that installs TensorFlow."""


def tensorflow(what: str) -> Any:
    """Import and return the module `tensorflow`.

    Args:
        what: name of the model, for messages: "model.keras", "MobileNetV2".

    Raises:
        ConversionError: If TensorFlow is not installed, or Keras uses another backend.
    """
    try:
        with quiet():
            import tensorflow
    except ImportError as error:
        raise ConversionError(
            f"{what} needs TensorFlow, which is not installed: {INSTALL}"
        ) from error
    backend = _backend(tensorflow)
    if backend != "tensorflow":
        raise ConversionError(
            f"{what} needs TensorFlow, but the backend of Keras is {backend}: set the environment "
            "variable KERAS_BACKEND=tensorflow, and load the model from its file"
        )
    return tensorflow


def _backend(tensorflow: Any) -> str:
    return str(tensorflow.keras.backend.backend())
