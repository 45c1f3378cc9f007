"""Load Keras files: `.keras`, and the older `.h5`."""

from __future__ import annotations

import tempfile
import zipfile
from pathlib import Path
from typing import Any

from ...errors import ConversionError
from .export import shorten
from .framework import tensorflow
from .quiet import quiet

__all__ = ["load_keras"]

_HDF5 = b"\x89HDF\r\n\x1a\n"

# Arguments in the layer configurations of Keras 2 that Keras 3 does not accept, with the value that
# has no effect: (argument, value) → layers.
_REMOVED_ARGUMENTS: dict[tuple[str, object], tuple[str, ...]] = {
    ("groups", 1): (
        "Conv1DTranspose", "Conv2DTranspose", "Conv3DTranspose", "DepthwiseConv1D",
        "DepthwiseConv2D", "SeparableConv1D", "SeparableConv2D",
    ),
    ("time_major", False): ("GRU", "LSTM", "RNN", "SimpleRNN"),
}  # fmt: skip


def load_keras(path: Path) -> Any:
    """Load a model without running code from the file.

    Raises:
        ConversionError: If TensorFlow is not installed, or the file is damaged, contains weights
            only, or needs custom code. The message gives advice.
        OSError: If the file does not exist or cannot be read.
    """
    suffix = _suffix(path)
    tf = tensorflow(str(path))
    with tempfile.TemporaryDirectory() as folder:
        link = Path(folder, f"model{suffix}")  # Keras looks at the name
        link.symlink_to(path.absolute())
        try:
            with quiet():
                return tf.keras.models.load_model(
                    link, compile=False, custom_objects=_tolerant_layers(tf)
                )
        except Exception as error:  # Keras can raise anything
            raise ConversionError(_explain(error, path)) from error


def _suffix(path: Path) -> str:
    """Return the suffix for the format of the file."""
    with path.open("rb") as file:
        head = file.read(len(_HDF5))
    if head == _HDF5:
        return ".h5"
    if zipfile.is_zipfile(path):
        return ".keras"
    raise ConversionError(
        f"{path} is damaged or not a Keras model: it is neither a ZIP archive (.keras) nor "
        "HDF5 (.h5)"
    )


def _tolerant_layers(tf: Any) -> dict[str, Any]:
    """Return layer classes that accept configurations of Keras 2 if they have no effect."""
    return {
        name: _ignore_argument(getattr(tf.keras.layers, name), *argument)
        for argument, names in _REMOVED_ARGUMENTS.items()
        for name in names
    }


def _ignore_argument(layer: Any, argument: str, value: object) -> Any:
    def from_config(cls: Any, config: dict[str, Any]) -> Any:
        accepted = {k: v for k, v in config.items() if (k, v) != (argument, value)}
        return super(subclass, cls).from_config(accepted)

    subclass: Any = type(layer.__name__, (layer,), {"from_config": classmethod(from_config)})
    return subclass


def _explain(error: Exception, path: Path) -> str:
    text = str(error)
    if "safe_mode" in text or "enable_unsafe_deserialization" in text:
        return (
            f"{path} contains a Lambda layer, whose code would run on loading. If you trust the "
            "file, load it yourself (keras.models.load_model(…, safe_mode=False)) and use "
            "bases.Keras(model)"
        )
    if "No model config found" in text:
        return (
            f"{path} contains weights only: build the model, load them (model.load_weights) and "
            "use bases.Keras(model)"
        )
    if "register_keras_serializable" in text or "custom_objects" in text or "Unknown layer" in text:
        return (
            f"{path} contains custom layers: load it with the code that saved it and use "
            f"bases.Keras(model). Message of Keras: {shorten(error)}"
        )
    if "when deserializing" in text:
        return (
            f"{path} contains a layer that this version of Keras cannot load. If Keras 2 saved it, "
            "load it with the package tf_keras and use bases.Keras(model). Message of Keras: "
            f"{shorten(error)}"
        )
    return f"Keras cannot load {path}; it may be damaged: {shorten(error)}"
