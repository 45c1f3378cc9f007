"""Heads: what is put on a base's features, and learns."""

from ._dropout import Masks, first_random_state
from .cosine import CosineClassifier
from .graph_head import GraphHead
from .head import Head, Parameter, RandomHead, ViewingHead
from .keras import Keras
from .linear import LinearLayer
from .mlp import MLP
from .multi_label import MultiLabelClassifier
from .regression import Regressor
from .softmax import SoftmaxClassifier
from .tflite import TFLite

__all__ = [
    "MLP",
    "CosineClassifier",
    "GraphHead",
    "Head",
    "Keras",
    "LinearLayer",
    "Masks",
    "MultiLabelClassifier",
    "Parameter",
    "RandomHead",
    "Regressor",
    "SoftmaxClassifier",
    "TFLite",
    "ViewingHead",
    "first_random_state",
]
