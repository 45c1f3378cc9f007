"""A Keras model as a base."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..flatbuffer import read
from ..graph import Model
from ._tensorflow import keras_to_tflite, load_keras

__all__ = ["Keras"]


@dataclass(frozen=True)
class Keras:
    """A Keras model or file; needs `pip install 'sartor[tensorflow]'`.

    TensorFlow converts it to a float `.tflite` with batch 1 and without dropout.

    Attributes:
        source: model (functional, sequential or subclassed), or path of a `.keras` or `.h5` file.
        features: names of the layers whose outputs are the features. A layer inside a nested model
            is named `inner/layer`. Default: the input of the last layer with weights.
        input_shape: shape of one sample, without the batch, if the model does not state it; for
            several inputs, name → shape.
    """

    source: Any
    features: str | Sequence[str] | None = None
    input_shape: Sequence[int] | Mapping[str, Sequence[int]] | None = None

    def load(self) -> Model:
        """Convert the model and return its graph.

        Raises:
            ConversionError: If TensorFlow is not installed, the file is damaged or contains no
                model, or the model cannot be converted. The message gives advice.
            OSError: If the file does not exist.
        """
        return read(self.content())

    def content(self) -> bytes:
        """Return the float `.tflite` as bytes; raise the errors of `load`."""
        is_path = isinstance(self.source, str | os.PathLike)
        model = load_keras(Path(self.source)) if is_path else self.source
        names = [self.features] if isinstance(self.features, str) else self.features or ()
        return keras_to_tflite(
            model, features=names, input_shape=self.input_shape, what=self._display_name
        )

    @property
    def _display_name(self) -> str:
        if isinstance(self.source, str | os.PathLike):
            return os.fspath(self.source)
        return f"the Keras model {getattr(self.source, 'name', '')!r}"
