"""A SavedModel as a base."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ..flatbuffer import read
from ..graph import Model
from ._tensorflow import saved_model_to_tflite

__all__ = ["SavedModel"]


@dataclass(frozen=True)
class SavedModel:
    """One signature of a SavedModel; needs `pip install 'sartor[tensorflow]'`.

    TensorFlow converts it to a float `.tflite` with batch 1. The outputs of a signature named
    `features` are the features. The default for other signatures is the input of the last layer
    with weights.

    Attributes:
        folder: folder of `saved_model.pb`.
        signature: key of the signature. Default: the only one.
        input_shape: shape of one sample, without the batch, if the signature does not state it;
            for several inputs, name → shape.
    """

    folder: str | os.PathLike[str]
    signature: str | None = None
    input_shape: Sequence[int] | Mapping[str, Sequence[int]] | None = None

    def load(self) -> Model:
        """Convert the signature and return its graph.

        Raises:
            ConversionError: If TensorFlow is not installed, the folder is damaged, there are
                several signatures and none is chosen, or the signature cannot be converted. The
                message gives advice.
            OSError: If the folder does not exist.
        """
        return read(self.content())

    def content(self) -> bytes:
        """Return the float `.tflite` as bytes; raise the errors of `load`."""
        return saved_model_to_tflite(
            Path(self.folder), signature=self.signature, input_shape=self.input_shape
        )
