"""A `.tflite` file as a base."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ..graph import Model
from ..litert import read_model

__all__ = ["TFLite"]


@dataclass(frozen=True)
class TFLite:
    """Any `.tflite` file, quantized or not, personalizable or not.

    Attributes:
        source: path or bytes of the file.
    """

    source: str | Path | bytes

    def load(self) -> Model:
        """Read the file; see `sartor.litert.read_model`."""
        return read_model(self.source)
