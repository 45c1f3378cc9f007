"""A `.tflite` file as a base."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ..flatbuffer import read
from ..graph import Model

__all__ = ["TFLite"]


@dataclass(frozen=True)
class TFLite:
    """Any `.tflite` file, quantized or not, personalizable or not.

    Attributes:
        source: path or bytes of the file.
    """

    source: str | Path | bytes

    def load(self) -> Model:
        """Read the file; raise InvalidModelError if it is damaged."""
        return read(self.source)
