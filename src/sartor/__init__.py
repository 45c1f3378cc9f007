"""Sartor makes a `.tflite` model learn from its user, on the user's device, in stock LiteRT."""

import sys
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Any

from ._version import __version__

if TYPE_CHECKING:
    from .convert import PersonalizableModel, convert
    from .freeze import Frozen, freeze
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
    "Frozen",
    "MultiLabelClassifier",
    "PersonalModel",
    "PersonalizableModel",
    "RMSprop",
    "Regressor",
    "SoftmaxClassifier",
    "__version__",
    "convert",
    "describe",
    "freeze",
]

_HOMES = {
    "Adam": "optimizers",
    "AdamW": "optimizers",
    "CosineClassifier": "heads",
    "Frozen": "freeze",
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
    """Import what is public when it is first used: a device never loads the converter."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f".{_HOMES[name]}", __name__), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__


class _Package(ModuleType):
    """`sartor.convert` is the function, also after the module of that name has been imported.

    So is `sartor.freeze`.
    """

    def __setattr__(self, name: str, value: object) -> None:
        if name in ("convert", "freeze") and isinstance(value, ModuleType):
            value = getattr(value, name)
        super().__setattr__(name, value)


sys.modules[__name__].__class__ = _Package
