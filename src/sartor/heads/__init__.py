"""Heads: what is put on a base's features, and learns."""

from .head import Head, Parameter
from .softmax import SoftmaxClassifier

__all__ = ["Head", "Parameter", "SoftmaxClassifier"]
