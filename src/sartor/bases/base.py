"""The protocol of a base, and the base for a path or a name."""

from __future__ import annotations

import difflib
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Protocol, runtime_checkable

from .._arguments import as_path
from ..errors import ConversionError, FeatureError, InvalidModelError
from ..graph import MEAN, Model, Signature, tensors_by_name
from .archive import read_exported_model
from .efficientnet_lite0 import EfficientNetLite0
from .file_format import ARCHIVE, KERAS, PYTORCH, SAVED_MODEL, detect_format
from .keras import Keras
from .mobilenet_v2 import MobileNetV2
from .pytorch import PyTorch
from .saved_model import SavedModel
from .tflite import TFLite

__all__ = [
    "MOBILENET_V2",
    "STARTER",
    "Base",
    "check_spelling",
    "find_base",
    "is_name",
    "load_base",
]

STARTER = "starter"
"""The name of `EfficientNetLite0()`, accepted in place of a path."""

MOBILENET_V2 = "mobilenetv2"
"""The name of `MobileNetV2()`, which needs TensorFlow and a network connection."""


@runtime_checkable
class Base(Protocol):
    """A pretrained network that computes features."""

    def load(self) -> Model:
        """Return a new graph, which the caller may change."""
        ...


_NAMED: dict[str, Callable[[], Base]] = {STARTER: EfficientNetLite0, MOBILENET_V2: MobileNetV2}


def find_base(
    base: Base | str | os.PathLike[str] | bytes,
    *,
    features: Sequence[str] = (),
    signature: str | None = None,
    input_shape: Sequence[int] | Mapping[str, Sequence[int]] | None = None,
) -> Base:
    """Return the base for a path, a name or bytes.

    The content of a path determines its format: a `.tflite`, a file of Keras, the folder of a
    SavedModel, or an exported program of PyTorch (`.pt2`).

    Args:
        base: a path, the name `"starter"` or `"mobilenetv2"`, the bytes of a `.tflite`, or a base,
            which is returned with the options below.
        features: names of the layers of a Keras model whose outputs are the features. Other bases
            ignore it, because their features are tensors, chosen at the cut.
        signature: signature of a SavedModel or a `.tflite`.
        input_shape: shape of one sample for a Keras model, a SavedModel or a `.tflite`; see there.

    Raises:
        ConversionError: If `base` is not one of these, or does not have the option.
        InvalidModelError: If the file does not exist.
    """
    instance = _create_base(base)
    values = {"signature": signature, "input_shape": input_shape}
    options: dict[str, object] = {key: value for key, value in values.items() if value is not None}
    for key in options:
        if key not in getattr(instance, "__dataclass_fields__", {}):
            raise ConversionError(f"{_format_base(base)} has no option {key}")
    if features and getattr(instance, "features", features) is None:
        options["features"] = tuple(features)
    return replace(instance, **options) if options else instance  # type: ignore[type-var]


def is_name(base: Path) -> bool:
    """Return True for the name of a base; it comes before a file of that name."""
    return str(base) in _NAMED


def check_spelling(path: Path) -> None:
    """Check that a missing file is not a misspelled name of a base.

    Raises:
        InvalidModelError: If there is no such file, and the path is close to a name.
    """
    names = [] if path.exists() else difflib.get_close_matches(str(path).lower(), _NAMED, 1)
    if names:
        raise InvalidModelError(f"{path} does not exist: did you mean {names[0]!r}?")


def load_base(
    base: Base | str | os.PathLike[str] | bytes, *, features: Sequence[str] = ()
) -> Model:
    """Load the base for a path, a name or bytes (see `find_base`).

    Args:
        base: see `find_base`.
        features: names of the features: layers of a Keras model, or tensors.

    Raises:
        InvalidModelError: If the file is damaged or does not exist, or is not a `.tflite`.
        FeatureError: If a Keras model has neither a layer nor a tensor of a name.
        ConversionError: If `base` is not a base, or its weights or libraries are not installed.
        OSError: If the file does not exist.
    """
    names = [name.removeprefix(MEAN) for name in features]
    try:
        return find_base(base, features=names).load()
    except FeatureError:
        if not names:
            raise
        model = find_base(base).load()
        tensors = tensors_by_name(Signature("", model.main, {}, {}))
        if not set(names) <= set(tensors):
            raise
        return model


def _create_base(base: object) -> Base:
    if isinstance(base, str | os.PathLike):
        path = as_path(base, "base", ConversionError)
        return _NAMED[str(path)]() if is_name(path) else _create_from_path(path)
    if isinstance(base, bytes):
        return TFLite(base)
    if isinstance(base, Base) and not isinstance(base, type):
        return base
    names = " or ".join(map(repr, _NAMED))
    raise ConversionError(
        f"a base must be the path of a .tflite file, a Keras model, a SavedModel or a PyTorch "
        f"program (.pt2), {names}, the bytes of a .tflite, or an object of sartor.bases; got "
        f"{type(base).__name__}"
    )


def _create_from_path(path: Path) -> Base:
    check_spelling(path)
    if not path.exists():
        raise InvalidModelError(f"{path} does not exist: check the path")
    file_format = detect_format(path)
    if file_format == KERAS:
        return Keras(path)
    if file_format == PYTORCH:
        return PyTorch(path)
    if file_format == SAVED_MODEL:
        return SavedModel(path if path.is_dir() else path.parent)
    if file_format == ARCHIVE:
        return TFLite(read_exported_model(path).content)
    return TFLite(path)


def _format_base(base: object) -> str:
    return repr(base) if isinstance(base, str) else type(base).__name__
