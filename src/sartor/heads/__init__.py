"""Heads: what is put on a base's features, and learns."""

from .cosine import CosineClassifier
from .head import Head, Parameter
from .linear import LinearLayer
from .mlp import MLP
from .multi_label import MultiLabelClassifier
from .regression import Regressor
from .softmax import SoftmaxClassifier

__all__ = [
    "MLP",
    "CosineClassifier",
    "Head",
    "LinearLayer",
    "MultiLabelClassifier",
    "Parameter",
    "Regressor",
    "SoftmaxClassifier",
]
