"""Heads: the trainable part of a model, on top of the features."""

from ._dropout import DropoutMasks, initial_random_state
from .cosine import CosineClassifier
from .fine_tune import FineTune
from .graph_head import GraphHead
from .head import DropoutHead, Head, NormalizingHead, Parameter
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
    "DropoutHead",
    "DropoutMasks",
    "FineTune",
    "GraphHead",
    "Head",
    "Keras",
    "LinearLayer",
    "MultiLabelClassifier",
    "NormalizingHead",
    "Parameter",
    "Regressor",
    "SoftmaxClassifier",
    "TFLite",
    "initial_random_state",
]
