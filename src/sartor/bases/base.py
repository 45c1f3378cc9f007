"""What every base has to say, and which one a path or a name stands for."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Protocol, runtime_checkable

from ..errors import ConversionError
from ..graph import Model
from .efficientnet_lite0 import EfficientNetLite0
from .keras import Keras
from .mobilenet_v2 import MobileNetV2
from .pytorch import PyTorch
from .recognize import KERAS, PYTORCH, SAVED_MODEL, kind_of
from .saved_model import SavedModel
from .tflite import TFLite

__all__ = ["MOBILENET_V2", "STARTER", "Base", "find_base", "load_base"]

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


def find_base(
    base: Base | str | os.PathLike[str] | bytes,
    *,
    features: Sequence[str] = (),
    signature: str | None = None,
    input_shape: Sequence[int] | Mapping[str, Sequence[int]] | None = None,
) -> Base:
    """The base that a path, a name or bytes stand for.

    A path is recognized by what it holds: a `.tflite`, a model that Keras has saved, the folder of
    a SavedModel, or a program that PyTorch has exported (`.pt2`). `"starter"` and `"mobilenetv2"`
    are no paths, but names of bases for those who have none (`STARTER`, `MOBILENET_V2`). Bytes are
    those of a `.tflite`.

    Args:
        base: one of these, or a base, which comes back.
        features: for a Keras model, the layers whose outputs are the features; other bases do not
            look at them, since their tensors are found when they are cut.
        signature: for a SavedModel, which one.
        input_shape: for a Keras model or a SavedModel, see there.

    Raises:
        ConversionError: it is nothing that a base can be, or has no such setting.
        OSError: the file is not there.
    """
    found = _found(base)
    told = {"signature": signature, "input_shape": input_shape}
    given: dict[str, object] = {key: value for key, value in told.items() if value is not None}
    for key in given:
        if key not in getattr(found, "__dataclass_fields__", {}):
            raise ConversionError(f"{key} cannot be chosen for {_called(base)}")
    if features and getattr(found, "features", features) is None:
        given["features"] = tuple(features)
    return replace(found, **given) if given else found  # type: ignore[type-var]


def load_base(
    base: Base | str | os.PathLike[str] | bytes, *, features: Sequence[str] = ()
) -> Model:
    """The graph of a base; see `find_base` for what one can be.

    Raises:
        InvalidModelError: the file is damaged, or no `.tflite`.
        ConversionError: it is nothing that a base can be, or what it is made from is not there.
        OSError: the file is not there.
    """
    return find_base(base, features=features).load()


def _found(base: object) -> Base:
    if isinstance(base, str | os.PathLike):
        text = os.fspath(base)
        return _NAMED[text]() if text in _NAMED else _at(Path(text))
    if isinstance(base, bytes):
        return TFLite(base)
    if isinstance(base, Base) and not isinstance(base, type):
        return base
    names = " or ".join(map(repr, _NAMED))
    raise ConversionError(
        f"a base is the path of a .tflite file, of a Keras model, of a SavedModel or of a PyTorch "
        f"program (.pt2), {names}, the bytes of a .tflite, or one of sartor.bases; got "
        f"{type(base).__name__}"
    )


def _at(path: Path) -> Base:
    kind = kind_of(path)
    if kind == KERAS:
        return Keras(path)
    if kind == PYTORCH:
        return PyTorch(path)
    if kind == SAVED_MODEL:
        return SavedModel(path if path.is_dir() else path.parent)
    return TFLite(path)


def _called(base: object) -> str:
    return repr(base) if isinstance(base, str) else type(base).__name__
