"""Sartor makes a `.tflite` model learn from its user, on the user's device, in stock LiteRT."""

from ._version import __version__
from .convert import PersonalizableModel, convert
from .heads import SoftmaxClassifier
from .optimizers import SGD, Adam

__all__ = ["SGD", "Adam", "PersonalizableModel", "SoftmaxClassifier", "__version__", "convert"]
