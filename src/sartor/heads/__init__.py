"""Heads: what is put on a base's features, and learns."""

from ._dropout import Masks, first_random_state
from .cosine import CosineClassifier
from .head import Head, Parameter, RandomHead
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
    "Masks",
    "MultiLabelClassifier",
    "Parameter",
    "RandomHead",
    "Regressor",
    "SoftmaxClassifier",
    "first_random_state",
]
