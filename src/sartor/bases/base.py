"""What every base has to say."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Protocol, runtime_checkable

from ..errors import ConversionError
from ..graph import Model
from .efficientnet_lite0 import EfficientNetLite0
from .mobilenet_v2 import MobileNetV2
from .tflite import TFLite

__all__ = ["MOBILENET_V2", "STARTER", "Base", "load_base"]

STARTER = "starter"
"""The name that stands for a good base where a path could: `EfficientNetLite0()`."""

MOBILENET_V2 = "mobilenetv2"
"""Likewise the name of `MobileNetV2()`, which needs TensorFlow and a network."""


@runtime_checkable
class Base(Protocol):
    """A model that can be a frozen base."""

    def load(self) -> Model:
        """Return it as a graph, which the caller may change."""
        ...


_NAMED: dict[str, Callable[[], Base]] = {STARTER: EfficientNetLite0, MOBILENET_V2: MobileNetV2}


def load_base(base: Base | str | os.PathLike[str] | bytes) -> Model:
    """The graph of a base; a path or bytes are those of a `.tflite` file.

    `"starter"` and `"mobilenetv2"` are no paths, but names of bases for those who have none
    (`STARTER`, `MOBILENET_V2`).

    Raises:
        InvalidModelError: the file is damaged, or no `.tflite`.
        ConversionError: it is nothing that a base can be, or what it is made from is not there.
    """
    if isinstance(base, str | os.PathLike) and os.fspath(base) in _NAMED:
        return _NAMED[os.fspath(base)]().load()
    if isinstance(base, bytes | str | os.PathLike):
        return TFLite(base if isinstance(base, bytes) else Path(base)).load()
    if isinstance(base, Base):
        return base.load()
    names = " or ".join(map(repr, _NAMED))
    raise ConversionError(
        f"a base is the path of a .tflite file, its bytes, {names}, or one of sartor.bases; "
        f"got {type(base).__name__}"
    )
