"""Convert one signature of a SavedModel to a float `.tflite` file."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from ...errors import ConversionError
from .._input_shapes import InputShape, fixed_shapes
from .export import shorten, to_tflite
from .framework import tensorflow
from .quiet import quiet

__all__ = ["saved_model_to_tflite"]

_INTERNAL = "__saved_model"
_DUPLICATES = ("serve", "serving_default")  # by Keras's model.export


def saved_model_to_tflite(
    folder: Path, *, signature: str | None = None, input_shape: InputShape = None
) -> bytes:
    """Convert one signature, with batch 1.

    Args:
        folder: folder of `saved_model.pb`.
        signature: key of the signature. Default: the only one.
        input_shape: shape of one sample, without the batch, if the signature does not state it.

    Returns:
        A file with this signature.

    Raises:
        ConversionError: If TensorFlow is not installed, the folder is damaged, there are several
            signatures and none is chosen, or the signature cannot be converted. The message gives
            advice.
        OSError: If the folder does not exist.
    """
    if not {"saved_model.pb", "saved_model.pbtxt"}.intersection(os.listdir(folder)):
        raise ConversionError(f"{folder} is not a SavedModel: it contains no saved_model.pb")
    tf = tensorflow(str(folder))
    try:
        with quiet():
            loaded = tf.saved_model.load(str(folder))
    except Exception as error:  # TensorFlow can raise anything
        raise ConversionError(
            f"{folder} cannot be loaded as a SavedModel: {shorten(error)}"
        ) from error
    key = _choose_signature(loaded, signature, folder)
    function = loaded.signatures[key]
    _, stated = function.structured_input_signature
    shapes = fixed_shapes(
        {name: _dimensions(spec.shape) for name, spec in stated.items()}, input_shape, str(folder)
    )
    specs = {name: tf.TensorSpec(shapes[name], spec.dtype) for name, spec in stated.items()}
    return to_tflite(
        tf, lambda inputs: function(**inputs), specs, key=key, what=str(folder), owner=loaded
    )


def _choose_signature(loaded: Any, signature: str | None, folder: Path) -> str:
    keys = [key for key in loaded.signatures if not key.startswith(_INTERNAL)]
    if _are_equal(loaded.signatures, *_DUPLICATES):
        keys.remove(_DUPLICATES[0])
    listed = ", ".join(map(repr, keys))
    if not keys:
        raise ConversionError(
            f"{folder} has no signatures. Save it with one: model.export(folder) in Keras, or "
            "tf.saved_model.save(…, signatures=…)"
        )
    if signature is not None and signature not in keys:
        raise ConversionError(f"{folder} has no signature {signature!r}; it has {listed}")
    if signature is None and len(keys) > 1:
        raise ConversionError(
            f"{folder} has {len(keys)} signatures: {listed}. Choose one (signature=, --signature)"
        )
    return signature or keys[0]


def _are_equal(signatures: Any, one: str, other: str) -> bool:
    """Return whether both signatures exist and have the same inputs and outputs."""
    if one not in signatures or other not in signatures:
        return False
    functions = [signatures[key] for key in (one, other)]
    first, second = ((f.structured_input_signature, f.structured_outputs) for f in functions)
    return bool(first == second)


def _dimensions(shape: Any) -> tuple[int | None, ...] | None:
    return None if shape.rank is None else tuple(shape.as_list())
