"""Heads from `.tflite` files."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from .._arguments import as_path
from ..errors import ConversionError
from ..flatbuffer import read
from ..losses import Loss
from .graph_head import GraphHead

__all__ = ["TFLite"]


class TFLite(GraphHead):
    """A head from a `.tflite` file that computes logits or probabilities from features.

    Args:
        source: path or bytes of the file. It computes in floats; weights may be quantized.
        loss, trainable: see `GraphHead`.

    Raises:
        InvalidModelError: If the file is damaged.
        ConversionError: If the graph cannot be a head.
    """

    def __init__(
        self,
        source: str | os.PathLike[str] | bytes,
        *,
        loss: Loss | None = None,
        trainable: Sequence[str] | None = None,
    ) -> None:
        content = (
            source if isinstance(source, bytes) else as_path(source, "source", ConversionError)
        )
        self._source = str(content) if isinstance(content, Path) else "the head"
        super().__init__(read(content), self._source, loss=loss, trainable=trainable)

    def __repr__(self) -> str:
        return f"TFLite({self._source!r})"
