"""Models that Keras has saved: `.keras`, and the older `.h5`."""

from __future__ import annotations

import tempfile
import zipfile
from pathlib import Path
from typing import Any

from ..errors import ConversionError
from .export import short
from .framework import tensorflow
from .quiet import quiet

__all__ = ["load_keras"]

_HDF5 = b"\x89HDF\r\n\x1a\n"

# What Keras 2 wrote into the configuration of layers and Keras 3 does not know, with the one value
# that changes nothing: (argument, value) → layers.
_NO_LONGER_KNOWN: dict[tuple[str, object], tuple[str, ...]] = {
    ("groups", 1): (
        "Conv1DTranspose", "Conv2DTranspose", "Conv3DTranspose", "DepthwiseConv1D",
        "DepthwiseConv2D", "SeparableConv1D", "SeparableConv2D",
    ),
    ("time_major", False): ("GRU", "LSTM", "RNN", "SimpleRNN"),
}  # fmt: skip


def load_keras(path: Path) -> Any:
    """Load a model without running code that the file brings.

    Raises:
        ConversionError: TensorFlow is not installed, the file is damaged, holds weights alone, or
            needs code to be trusted or registered; the message says what to do.
        OSError: it is not there.
    """
    suffix = _suffix(path)
    tf = tensorflow(str(path))
    with tempfile.TemporaryDirectory() as folder:
        link = Path(folder, f"model{suffix}")  # Keras goes by the name
        link.symlink_to(path.absolute())
        try:
            with quiet():
                return tf.keras.models.load_model(link, compile=False, custom_objects=_lenient(tf))
        except Exception as error:  # of many kinds
            raise ConversionError(_why(error, path)) from error


def _suffix(path: Path) -> str:
    """What the name of such a file ends in."""
    with path.open("rb") as file:
        head = file.read(len(_HDF5))
    if head == _HDF5:
        return ".h5"
    if zipfile.is_zipfile(path):
        return ".keras"
    raise ConversionError(
        f"{path} holds no model of Keras, or not all of it: neither a whole ZIP archive (.keras) "
        "nor HDF5 (.h5)"
    )


def _lenient(tf: Any) -> dict[str, Any]:
    """Layers that take the configuration of Keras 2, where it says what Keras 3 does anyway."""
    return {
        name: _without(getattr(tf.keras.layers, name), *argument)
        for argument, names in _NO_LONGER_KNOWN.items()
        for name in names
    }


def _without(layer: Any, argument: str, value: object) -> Any:
    def from_config(cls: Any, config: dict[str, Any]) -> Any:
        known = {k: v for k, v in config.items() if (k, v) != (argument, value)}
        return super(made, cls).from_config(known)

    made: Any = type(layer.__name__, (layer,), {"from_config": classmethod(from_config)})
    return made


def _why(error: Exception, path: Path) -> str:
    text = str(error)
    if "safe_mode" in text or "enable_unsafe_deserialization" in text:
        return (
            f"{path} holds a Lambda layer, whose code would run when it is loaded. If you trust "
            "the file, load it yourself (keras.models.load_model(…, safe_mode=False)) and give the "
            "model: bases.Keras(model)"
        )
    if "No model config found" in text:
        return (
            f"{path} holds weights alone, and no model: build the model, load them into it "
            "(model.load_weights), and give it: bases.Keras(model)"
        )
    if "register_keras_serializable" in text or "custom_objects" in text or "Unknown layer" in text:
        return (
            f"{path} holds layers that Keras cannot make by itself, which may be your own: load it "
            f"with the code that saved it, and give the model: bases.Keras(model). Keras says: "
            f"{short(error)}"
        )
    if "when deserializing" in text:
        return (
            f"{path} holds a layer that this Keras cannot make. If Keras 2 saved it, load it with "
            "the package tf_keras, and give the model: bases.Keras(model). Keras says: "
            f"{short(error)}"
        )
    return f"{path} cannot be loaded by Keras; it may be damaged: {short(error)}"
