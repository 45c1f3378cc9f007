"""A Keras model as a base."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .._tensorflow import keras_to_tflite, load_keras
from ..flatbuffer import read
from ..graph import Model

__all__ = ["Keras"]


@dataclass(frozen=True)
class Keras:
    """A Keras model, or the file of one; needs `pip install 'sartor[tensorflow]'`.

    TensorFlow's converter makes a float `.tflite` of it once, batch 1 and without dropout.

    Attributes:
        source: the model (functional, sequential or subclassed), or the path of what Keras has
            saved: `.keras`, or the older `.h5` with the model in it.
        features: the layer whose output are the features, or several; one inside a nested model
            may be named as `inner/layer`. None: what goes into the last layer with weights.
        input_shape: of one sample, without the batch, where the model leaves it open; for several
            inputs a mapping from their names.
    """

    source: Any
    features: str | Sequence[str] | None = None
    input_shape: Sequence[int] | Mapping[str, Sequence[int]] | None = None

    def load(self) -> Model:
        """Convert it, and read that.

        Raises:
            ConversionError: TensorFlow is not installed, the file is damaged or holds no model, or
                the model cannot be converted; the message says what to do.
            OSError: the file is not there.
        """
        return read(self.content())

    def content(self) -> bytes:
        """The bytes of the float `.tflite`; raises as `load` does."""
        filed = isinstance(self.source, str | os.PathLike)
        model = load_keras(Path(self.source)) if filed else self.source
        names = [self.features] if isinstance(self.features, str) else self.features or ()
        return keras_to_tflite(
            model, features=names, input_shape=self.input_shape, what=self._called
        )

    @property
    def _called(self) -> str:
        """What messages call it."""
        if isinstance(self.source, str | os.PathLike):
            return os.fspath(self.source)
        return f"the Keras model {getattr(self.source, 'name', '')!r}"
