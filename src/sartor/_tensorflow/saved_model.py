"""One signature of a SavedModel as a float `.tflite`."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from ..errors import ConversionError
from .export import short, to_tflite
from .framework import tensorflow
from .quiet import quiet
from .shapes import InputShape, fixed_shapes

__all__ = ["saved_model_to_tflite"]

_INTERNAL = "__saved_model"
_WRITTEN_TWICE = ("serve", "serving_default")  # by Keras's model.export


def saved_model_to_tflite(
    folder: Path, *, signature: str | None = None, input_shape: InputShape = None
) -> bytes:
    """Convert one signature, batch 1.

    Args:
        folder: that of `saved_model.pb`.
        signature: which one; needed where there are several.
        input_shape: of one sample, without the batch, where the signature leaves it open.

    Returns:
        A file with that signature.

    Raises:
        ConversionError: TensorFlow is not installed, the folder is damaged, it is not clear which
            signature, or it cannot be converted; the message says what to do.
        OSError: there is no such folder.
    """
    if not {"saved_model.pb", "saved_model.pbtxt"}.intersection(os.listdir(folder)):
        raise ConversionError(f"{folder} is no SavedModel: there is no saved_model.pb in it")
    tf = tensorflow(str(folder))
    try:
        with quiet():
            loaded = tf.saved_model.load(str(folder))
    except Exception as error:  # of many kinds
        raise ConversionError(
            f"{folder} cannot be loaded as a SavedModel: {short(error)}"
        ) from error
    key = _chosen(loaded, signature, folder)
    function = loaded.signatures[key]
    _, stated = function.structured_input_signature
    shapes = fixed_shapes(
        {name: _dimensions(spec.shape) for name, spec in stated.items()}, input_shape, str(folder)
    )
    specs = {name: tf.TensorSpec(shapes[name], spec.dtype) for name, spec in stated.items()}
    return to_tflite(
        tf, lambda given: function(**given), specs, key=key, what=str(folder), kept=loaded
    )


def _chosen(loaded: Any, signature: str | None, folder: Path) -> str:
    keys = [key for key in loaded.signatures if not key.startswith(_INTERNAL)]
    if _same(loaded.signatures, *_WRITTEN_TWICE):
        keys.remove(_WRITTEN_TWICE[0])
    listed = ", ".join(map(repr, keys))
    if not keys:
        raise ConversionError(
            f"{folder} has no signatures, so nothing says what to run. Save it with one: "
            "model.export(folder) of Keras, or tf.saved_model.save(…, signatures=…)"
        )
    if signature is not None and signature not in keys:
        raise ConversionError(f"{folder} has no signature {signature!r}; it has {listed}")
    if signature is None and len(keys) > 1:
        raise ConversionError(
            f"{folder} has {len(keys)} signatures: {listed}. Name one (signature=, --signature)"
        )
    return signature or keys[0]


def _same(signatures: Any, one: str, other: str) -> bool:
    """Whether both are there, and take and give the same."""
    if one not in signatures or other not in signatures:
        return False
    found = [signatures[key] for key in (one, other)]
    first, second = ((f.structured_input_signature, f.structured_outputs) for f in found)
    return bool(first == second)


def _dimensions(shape: Any) -> tuple[int | None, ...] | None:
    return None if shape.rank is None else tuple(shape.as_list())
