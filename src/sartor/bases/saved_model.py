"""A SavedModel as a base."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from .._tensorflow import saved_model_to_tflite
from ..flatbuffer import read
from ..graph import Model

__all__ = ["SavedModel"]


@dataclass(frozen=True)
class SavedModel:
    """One signature of a SavedModel; needs `pip install 'sartor[tensorflow]'`.

    TensorFlow's converter makes a float `.tflite` of it once, batch 1. A signature that is called
    `features` is cut at its outputs; any other where the last layer with weights begins.

    Attributes:
        folder: the one that `saved_model.pb` lies in.
        signature: which; None where there is only one.
        input_shape: of one sample, without the batch, where the signature leaves it open; for
            several inputs a mapping from their names.
    """

    folder: str | os.PathLike[str]
    signature: str | None = None
    input_shape: Sequence[int] | Mapping[str, Sequence[int]] | None = None

    def load(self) -> Model:
        """Convert it, and read that.

        Raises:
            ConversionError: TensorFlow is not installed, the folder is damaged, it is not clear
                which signature, or it cannot be converted; the message says what to do.
            OSError: there is no such folder.
        """
        return read(self.content())

    def content(self) -> bytes:
        """The bytes of the float `.tflite`; raises as `load` does."""
        return saved_model_to_tflite(
            Path(self.folder), signature=self.signature, input_shape=self.input_shape
        )
