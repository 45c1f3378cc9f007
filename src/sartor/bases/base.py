"""What every base has to say."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Protocol, runtime_checkable

from ..errors import ConversionError
from ..graph import Model
from .efficientnet_lite0 import EfficientNetLite0
from .tflite import TFLite

__all__ = ["STARTER", "Base", "load_base"]

STARTER = "starter"
"""The name that stands for a good base where a path could: `EfficientNetLite0()`."""


@runtime_checkable
class Base(Protocol):
    """A model that can be a frozen base."""

    def load(self) -> Model:
        """Return it as a graph, which the caller may change."""
        ...


def load_base(base: Base | str | os.PathLike[str] | bytes) -> Model:
    """The graph of a base; a path or bytes are those of a `.tflite` file.

    `"starter"` is no path, but the name of the base for those who have none (`STARTER`).

    Raises:
        InvalidModelError: the file is damaged, or no `.tflite`.
        ConversionError: it is nothing that a base can be.
    """
    if isinstance(base, str | os.PathLike) and os.fspath(base) == STARTER:
        return EfficientNetLite0().load()
    if isinstance(base, bytes | str | os.PathLike):
        return TFLite(base if isinstance(base, bytes) else Path(base)).load()
    if isinstance(base, Base):
        return base.load()
    raise ConversionError(
        f"a base is the path of a .tflite file, its bytes, {STARTER!r}, or one of sartor.bases; "
        f"got {type(base).__name__}"
    )
