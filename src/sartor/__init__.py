"""Sartor trains `.tflite` models on the user's device, in stock LiteRT."""

from __future__ import annotations

import sys
from importlib import import_module
from types import ModuleType

from ._version import __version__

TYPE_CHECKING = False  # typing takes longer to import than this module
if TYPE_CHECKING:
    from typing import Any

    from . import bases, errors, heads, losses, modalities, optimizers, runtime, testing
    from .convert import PersonalizableModel, convert
    from .freeze import FrozenModel, freeze
    from .heads import (
        MLP,
        CosineClassifier,
        MultiLabelClassifier,
        Regressor,
        SoftmaxClassifier,
    )
    from .inspection import describe
    from .optimizers import SGD, Adam, AdamW, RMSprop
    from .runtime import PersonalModel

__all__ = [
    "MLP",
    "SGD",
    "Adam",
    "AdamW",
    "CosineClassifier",
    "FrozenModel",
    "MultiLabelClassifier",
    "PersonalModel",
    "PersonalizableModel",
    "RMSprop",
    "Regressor",
    "SoftmaxClassifier",
    "__version__",
    "bases",
    "convert",
    "describe",
    "errors",
    "freeze",
    "heads",
    "losses",
    "modalities",
    "optimizers",
    "runtime",
    "testing",
]

_MODULES = {
    "Adam": "optimizers",
    "AdamW": "optimizers",
    "CosineClassifier": "heads",
    "FrozenModel": "freeze",
    "MLP": "heads",
    "MultiLabelClassifier": "heads",
    "PersonalModel": "runtime",
    "PersonalizableModel": "convert",
    "RMSprop": "optimizers",
    "Regressor": "heads",
    "SGD": "optimizers",
    "SoftmaxClassifier": "heads",
    "convert": "convert",
    "describe": "inspection",
    "freeze": "freeze",
}


def __getattr__(name: str) -> Any:
    """Import a name or a module at first use, so that a device does not load the converter."""
    if name in _MODULES:
        value = getattr(import_module(f".{_MODULES[name]}", __name__), name)
        globals()[name] = value
        return value
    full_name = f"{__name__}.{name}"
    try:
        return import_module(full_name)
    except ModuleNotFoundError as error:
        if error.name != full_name:
            raise
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}") from None


def __dir__() -> list[str]:
    return __all__


class _Package(ModuleType):
    """The package; `convert` and `freeze` are functions even if their modules are imported."""

    def __setattr__(self, name: str, value: object) -> None:
        if name in ("convert", "freeze") and isinstance(value, ModuleType):
            value = getattr(value, name)
        super().__setattr__(name, value)


sys.modules[__name__].__class__ = _Package
